"""`quipu replay`: views rebuilt from the log, beside a server or without one, and compared with the live ones."""

import csv
import io
import json
import re
import threading
import unittest

from commands import CommandTest
from harness import Server, quipu
from sockets import assert_code
from texts import texts


class Replay(CommandTest):
    def fill(self, server: Server, count: int) -> dict[str, str]:
        tokens = {name: server.account(name) for name in ("ann", "bob")}
        room = server.room(tokens["ann"], "r", ["bob"])
        words = texts(6)
        with server.session(tokens["ann"]) as socket:
            for number in range(count):
                socket.send({"type": 1, "content": f"MARK-{number:06}-{next(words)}"}
                            | ({"room": room} if number % 5 == 0 else {"to": "bob"}))
            for _ in range(count):
                assert_code(self, (50002, 50003), socket.reply())
            self.head = socket.ask({"type": 4})["as_of"]
        with server.session(tokens["bob"]) as socket:
            socket.ask({"type": 3, "to": "ann", "limit": count // 3})
            socket.ask({"type": 4})
        return tokens

    def views(self, server: Server) -> dict[str, int]:
        """Each view's folder and its inode: a rebuild that switches makes another."""
        return {path.name: path.stat().st_ino for path in (server.data / "views").iterdir() if path.is_dir()}

    def test_replay_without_a_server(self):
        server = self.server()
        tokens = self.fill(server, 1_000)
        with server.session(tokens["bob"]) as socket:
            before = {query: socket.ask({"type": query, "mark": False} | ({"to": "ann"} if query < 4 else {}))
                      for query in (2, 3, 4)}
        self.assertEqual(0, server.stop())
        self.assertIn("identical", self.run_command(0, "replay", "--verify", "--data", server.data))
        json.loads(quipu("replay", "--verify", "--json", "--data", str(server.data)).stdout.strip().splitlines()[-1])
        names = {re.sub(r"-v\d+$", "", name) for name in self.views(server)}
        self.assertLessEqual({"users", "rooms", "conversations", "unread"}, names)
        copy = server.folder / "copy"
        shown = self.views(server)
        self.run_command(0, "replay", "--into", copy, "--data", server.data)
        self.assertTrue(any(copy.rglob("data.mdb")), "the views are left there")
        self.assertEqual(shown, self.views(server), "the live ones were not touched")
        middle = self.head // 2
        self.run_command(0, "replay", "--to", middle, "--into", server.folder / "half", "--data", server.data)
        self.run_command(0, "replay", "--to", middle, "--verify", "--data", server.data)
        self.run_command(2, "replay", "--to", middle, "--data", server.data)
        printed = self.run_command(2, "replay", "--view", "convrsations", "--data", server.data)
        self.assertIn("conversations", printed, "it names the views that there are")
        self.run_command(0, "replay", "--view", "unread", "--view", "conversations", "--data", server.data)
        self.run_command(0, "replay", "--data", server.data)
        self.assertIn("identical", self.run_command(0, "replay", "--verify", "--data", server.data))
        server.start()
        with server.session(tokens["bob"]) as socket:
            for query, answer in before.items():
                again = socket.ask({"type": query, "mark": False} | ({"to": "ann"} if query < 4 else {}))
                volatile = ("as_of", "offset")
                self.assertEqual({k: v for k, v in answer.items() if k not in volatile},
                                 {k: v for k, v in again.items() if k not in volatile}, f"type {query}")

    def test_verify_finds_one_changed_byte_and_replay_mends_it(self):
        server = self.server()
        tokens = self.fill(server, 200)
        self.assertEqual(0, server.stop())
        self.damage(server, b"MARK-000101-", b"MARK-000191-")
        printed = self.run_command(1, "replay", "--verify", "--data", server.data)
        self.assertRegex(printed, r"conversations +different[^\n]*\n.*\n.*table messages, key [0-9a-f]+")
        self.assertEqual("different", printed.strip().splitlines()[-1])
        self.run_command(0, "replay", "--data", server.data)
        self.assertIn("identical", self.run_command(0, "replay", "--verify", "--data", server.data))
        server.start()
        with server.session(tokens["bob"]) as socket:
            rows = socket.ask({"type": 2, "to": "ann"})["content"]
            self.assertEqual(1, sum(row["content"].startswith("MARK-000101-") for row in rows))

    def damage(self, server: Server, old: bytes, new: bytes) -> None:
        """Changes one byte of a message's text in each view that holds it. LMDB pages have no checksum."""
        changed = 0
        for path in (server.data / "views").rglob("data.mdb"):
            with open(path, "r+b") as file:
                data = file.read()
                at = data.find(old)
                while at >= 0:
                    file.seek(at)
                    file.write(new)
                    changed += 1
                    at = data.find(old, at + 1)
        self.assertGreater(changed, 0, "no view holds the message's text: there is nothing to damage here")

    def test_replay_under_load(self):
        """The rebuild happens inside the server; messages are stored and every query is answered meanwhile."""
        server = self.server()
        tokens = self.fill(server, 5_000)
        stop = threading.Event()
        sent: list[int] = []
        failures: list[str] = []

        def load(me: str, peer: str) -> None:
            try:
                with server.session(tokens[me]) as socket:
                    while not stop.is_set():
                        ack = socket.ask({"type": 1, "to": peer, "content": f"load {len(sent)}"})
                        page = socket.ask({"type": 2, "to": peer, "limit": 5, "mark": False})
                        total = socket.ask({"type": 4})
                        if ack["code"] not in (50002, 50003) or page["code"] != 50000 or "total_counts" not in total:
                            failures.append(f"{ack} {page} {total}")
                        elif page["as_of"] < ack["offset"] or page["content"][0]["ID"] < ack["offset"]:
                            failures.append(f"a query did not see its own socket's message: {ack} {page}")
                        socket.delivered.clear()
                        sent.append(ack["offset"])
            except BaseException as error:
                failures.append(repr(error))
        threads = [threading.Thread(target=load, args=pair) for pair in (("ann", "bob"), ("bob", "ann"))]
        for thread in threads:
            thread.start()
        before = self.views(server)
        try:
            for _ in range(3):
                self.run_command(0, "replay", "--data", server.data)
            verified = self.run_command(0, "replay", "--verify", "--data", server.data)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], failures[:3])
        self.assertIn("identical", verified)
        self.assertGreater(len(sent), 0)
        self.assertEqual(200, server.request("GET", "/health/ready").status)
        self.assertFalse(before.items() <= self.views(server).items(), "the views were switched for new ones")
        self.assertEqual(0, server.stop())
        self.assertIn("identical", self.run_command(0, "replay", "--verify", "--data", server.data))
        listed = self.run_command(0, "audit", "list", "--type", "MessageSent", "--format", "csv", "--data", server.data)
        rows = list(csv.reader(io.StringIO(listed, newline="")))
        self.assertEqual(5_000 + len(sent), len(rows) - 1)


if __name__ == "__main__":
    unittest.main()
