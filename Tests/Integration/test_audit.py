"""`quipu audit`: every event as the log has it, with the server running or not, and never a password's hash; and which
messages an unread count is made of."""

import csv
import io
import json
import os
import random
import re
import threading
import unittest

from commands import CommandTest
from harness import PASSWORD, Server, quipu, quote, wait_for
from sockets import assert_code
from texts import texts

HASH = re.compile(r"\$2[abxy]\$")


class AuditList(CommandTest):
    def test_audit_list(self):
        server = self.server()
        tokens = {name: server.account(name) for name in ("ann", "bob", "eve")}
        room = server.room(tokens["ann"], "r", ["eve"])
        self.assertEqual(401, server.login("ann", "wrong").status)
        words = texts(5)
        said: dict[str, list[str]] = {"ann": [], "bob": [], "room": []}
        with server.session(tokens["ann"]) as ann, server.session(tokens["bob"]) as bob:
            for number in range(20):
                for key, socket, target in (("ann", ann, {"to": "bob"}), ("bob", bob, {"to": "eve"}),
                                            ("room", ann, {"room": room})):
                    said[key].append(f"{key} {number} {next(words)}")
                    socket.ask({"type": 1, "content": said[key][-1]} | target)
            middle = ann.ask({"type": 2, "to": "bob"})["content"][10]
        everything = said["ann"] + said["bob"] + said["room"]

        def events(*options, running: str) -> list[dict]:
            printed = self.run_command(0, "audit", "list", "--data", server.data, "--format", "json", *options)
            self.assertNotRegex(printed, HASH, f"no secret ({running})")
            self.assertNotIn(PASSWORD, printed)
            # Not splitlines(): Python counts U+2028 and other characters as the end of a line.
            listed = [json.loads(line) for line in printed.split("\n") if line]
            for event in listed:
                self.assertTrue({"offset", "time", "type"} <= event.keys(), event)
            return listed

        def contents(listed: list[dict]) -> list[str]:
            shown = [json.dumps(event, ensure_ascii=False) for event in listed]
            return [text for text in everything if any(json.dumps(text, ensure_ascii=False) in line for line in shown)]

        for running in ("with the server running", "with no server"):
            with self.subTest(running):
                listed = events(running=running)
                offsets = [event["offset"] for event in listed]
                self.assertEqual(list(range(1, len(listed) + 1)), offsets, "every event, in order")
                self.assertEqual(sorted(everything), sorted(contents(listed)))
                times = [event["time"] for event in listed]
                self.assertEqual(sorted(times), times)
                types = {event["type"] for event in listed}
                self.assertLessEqual({"UserRegistered", "UserLoggedIn", "LoginFailed", "RoomCreated"}, types)
                for options, expected in [
                    (("--user", "bob"), said["ann"] + said["bob"]),
                    (("--user", "ann", "--peer", "bob"), said["ann"]),
                    (("--peer", "ann", "--user", "bob"), said["ann"]),
                    (("--room", room), said["room"]), (("--type", "MessageSent"), everything),
                    (("--type", "RoomCreated", "--type", "UserRegistered"), []),
                    (("--since", times[0]), everything), (("--until", times[0]), []),
                    (("--after", str(offsets[-1])), []), (("--after", "0"), everything),
                ]:
                    self.assertEqual(sorted(expected), sorted(contents(events(*options, running=running))), options)
                sent = events("--type", "MessageSent", running=running)
                self.assertEqual({"MessageSent"}, {event["type"] for event in sent})
                self.assertEqual(60, len(sent))
                after = events("--user", "ann", "--peer", "bob", "--after", str(middle["ID"]), "--limit", "3",
                               running=running)
                self.assertEqual(3, len(after), after)
                self.assertEqual(said["ann"][10:13], contents(after))
                since = events("--type", "MessageSent", "--since", middle["CreatedAt"], running=running)
                self.assertIn(said["ann"][-1], contents(since))
                self.check_formats(server, said["ann"][0], len(listed))
            if server.process.poll() is None:
                self.assertEqual(0, server.stop())
        self.run_command(2, "audit", "list", "--data", server.folder / "not there")
        for options in (("--user", "nobody"), ("--room", "00000000-0000-4000-8000-000000000000")):
            ended = quipu("audit", "list", "--data", str(server.data), *options)
            shown = [text for text in everything if text[:8] in ended.stdout]
            self.assertEqual([], shown, f"{options}: {ended.stdout}")

    def check_formats(self, server: Server, text: str, count: int) -> None:
        printed = self.run_command(0, "audit", "list", "--data", server.data, "--format", "csv")
        self.assertNotRegex(printed, HASH)
        rows = list(csv.reader(io.StringIO(printed, newline="")))
        self.assertEqual(count + 1, len(rows), "a line of names and one for each event")
        self.assertIn("offset", [name.lower() for name in rows[0]])
        self.assertEqual({len(rows[0])}, {len(row) for row in rows})
        table = self.run_command(0, "audit", "list", "--data", server.data)
        self.assertNotRegex(table, HASH)
        self.assertGreaterEqual(len(table.splitlines()), count)
        self.assertIn(text[:5], table)
        for control in "\x00\x01\x07\x1b\x7f":
            self.assertNotIn(control, table, "a table for a terminal shows no control characters")


class AuditUnread(CommandTest):
    names = ["ann", "bob", "eve 客"]

    def audit(self, code: int, server: Server, account: str, *options) -> dict:
        """What the command says with --json."""
        ended = quipu("audit", "unread", account, "--json", "--data", str(server.data), *map(str, options))
        self.assertEqual(code, ended.returncode, f"{account} {options}:\n{ended.stdout}{ended.stderr}")
        self.assertEqual(1, ended.stdout.count("\n"), ended.stdout)
        self.assertNotIn("secret", ended.stdout, "no message is shown")
        return json.loads(ended.stdout)

    def assert_counts(self, counts: dict, unread: dict, found: dict, where: str) -> None:
        """The command found what a type 4 answer says, and the messages that type 3 shows."""
        for name in ("as_of", "total_counts"):
            self.assertEqual(counts[name], found[name], f"{name}, {where}")
        for name, key in (("unread_counts", "send_id"), ("room_counts", "room")):
            self.assertEqual([(item[key], item["unread_count"]) for item in counts[name]],
                             [(item[key], item["unread_count"]) for item in found[name]], f"{name}, {where}")
        self.assertEqual(sum(item["unread_count"] for item in counts["room_counts"]), found["total_room_counts"])
        items = {item[key]: item for name, key in (("unread_counts", "send_id"), ("room_counts", "room"))
                 for item in found[name]}
        # Type 3 shows a room from its beginning; what was said before one came to it is not counted.
        for name, item in items.items():
            self.assertEqual([place for place in unread[name] if place > item.get("joined", 0)], item["offsets"], where)
        for name in self.names:
            self.assertEqual(name in items, bool(unread.get(name)), f"{name}, {where}")

    def test_what_was_unread_then(self):
        """Whatever was sent, edited, deleted and read meanwhile: as of an offset it says what type 4 said there."""
        seed = int(os.environ.get("QUIPU_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
        print(f"test_audit: QUIPU_SEED={seed}", flush=True)
        choice = random.Random(seed)
        names = self.names
        server = self.server()
        tokens = {name: server.account(name) for name in names}
        room = server.room(tokens["ann"], "r", names[1:])
        sockets = {name: server.session(tokens[name]) for name in names}
        sent: list[tuple[str, dict, int]] = []
        inside = set(names)
        said = []

        def step(name: str) -> None:
            socket, peer = sockets[name], choice.choice([other for other in names if other != name])
            place = choice.choice([{"to": peer}, {"room": room}]) if name in inside else {"to": peer}
            kind = choice.random()
            if kind < 0.65 or not sent:
                ack = socket.ask({"type": 1, "content": f"secret {len(sent)}"} | place)
                assert_code(self, (50002, 50003), ack)
                sent.append((name, place, ack["offset"]))
            elif kind < 0.8:
                # Marks come twice and in any order.
                upto = choice.choice(sent)[2]
                for _ in range(choice.randrange(1, 3)):
                    socket.ask({"type": 5, "upto": upto} | place)
            elif kind < 0.94:
                author, where, target = choice.choice(sent)
                if author in inside or "to" in where:
                    sockets[author].ask({"type": 9, "target": target, "content": "secret edit"} | where)
                    if kind < 0.9:
                        assert_code(self, (50000, 50022),
                                    sockets[author].ask({"type": 10, "target": target} | where))
            elif name != "ann":
                method = "DELETE" if name in inside else "PUT"
                reply = server.request(method, f"/rooms/{room}/members/{quote(name)}", token=tokens["ann"])
                self.assertEqual(204, reply.status, str(reply))
                inside.symmetric_difference_update({name})

        def settled() -> int:
            ready = server.request("GET", "/health/ready").json
            return ready["head"] if all(view["projected"] == ready["head"] for view in ready["views"]) else 0

        def look(name: str) -> tuple[str, dict, dict]:
            socket = sockets[name]
            # A socket waits for what it was told only; here everything is to be seen.
            head = wait_for(settled, "the views to be done")
            places = {other: {"to": other} for other in names if other != name}
            if name in inside:
                places[room] = {"room": room}
            unread = {}
            for key, place in places.items():
                answer = socket.ask({"type": 3, "mark": False} | place)
                unread[key] = [row["ID"] for row in answer["content"]] if answer["code"] == 50000 else []
            counts = socket.ask({"type": 4})
            self.assertEqual(head, counts["as_of"], "nothing happened meanwhile")
            return name, counts, unread

        for _ in range(24):
            for _ in range(10):
                step(choice.choice(names))
            said.append(look(choice.choice(names)))
        self.assertGreater(sum(counts["total_counts"] for _, counts, _ in said), 0, f"seed {seed}")
        now = [look(name) for name in names]
        for running in (True, False):
            for name, counts, unread in said:
                found = self.audit(0, server, name, "--as-of", counts["as_of"])
                self.assert_counts(counts, unread, found, f"seed {seed}, {name} at {counts['as_of']}")
                self.assertIsNone(found["view"], "no view knows the past")
            for name, counts, unread in now:
                found = self.audit(0, server, name)
                self.assert_counts(counts, unread, found, f"seed {seed}, {name} now")
                self.assertEqual({"agrees": True, "as_of": counts["as_of"], "behind": 0, "differences": []},
                                 found["view"])
                for peer in (other for other in names if other != name):
                    one = self.audit(0, server, name, "--peer", peer)
                    self.assertEqual([unread[peer]], [item["offsets"] for item in one["unread_counts"]])
                    self.assertEqual([], one["room_counts"])
            if running:
                for socket in sockets.values():
                    socket.close()
                self.assertEqual(0, server.stop())

    def test_beside_a_busy_server(self):
        server = self.server()
        tokens = {name: server.account(name) for name in ("ann", "bob")}
        stop, failures, sent = threading.Event(), [], []

        def load() -> None:
            try:
                with server.session(tokens["ann"]) as ann, server.session(tokens["bob"]) as bob:
                    while not stop.is_set():
                        for _ in range(20):
                            ann.send({"type": 1, "to": "bob", "content": "secret"})
                        sent.extend(ann.reply()["offset"] for _ in range(20))
                        bob.ask({"type": 5, "to": "ann", "upto": sent[-7]})
                        bob.delivered.clear()
            except BaseException as error:
                failures.append(repr(error))
        thread = threading.Thread(target=load)
        thread.start()
        heads = []
        try:
            while len(heads) < 10 and not failures:
                found = self.audit(0, server, "bob")
                self.assertTrue(found["view"]["agrees"], str(found["view"]))
                self.assertEqual(0, found["view"]["behind"])
                heads.append(found["as_of"])
        finally:
            stop.set()
            thread.join()
        self.assertEqual([], failures)
        self.assertEqual(sorted(heads), heads)
        self.assertGreater(len(set(heads)), 1, "there was traffic meanwhile")

    def test_exit_codes(self):
        server = self.server()
        tokens = {name: server.account(name) for name in ("ann", "bob")}
        room = server.room(tokens["ann"], "r", [])
        with server.session(tokens["ann"]) as ann:
            offsets = [ann.ask({"type": 1, "to": "bob", "content": "secret"})["offset"] for _ in range(3)]
        self.assertEqual(0, server.stop())
        data = ("--data", server.data)
        printed = self.run_command(0, "audit", "unread", "bob", *data)
        self.assertIn(f"{offsets[0]}–{offsets[2]}", printed)
        self.assertRegex(printed.splitlines()[-1], rf"^as of offset {offsets[2]}, .*: the view agrees$")
        for options in (["zed"], ["bob", "--peer", "zed"], ["bob", "--room", "q"], ["bob", "--room", room],
                        ["bob", "--peer", "ann", "--room", "r"], ["bob", "--as-of", offsets[2] + 1],
                        ["bob", "--as-of", "yesterday"], []):
            said = self.run_command(2, "audit", "unread", *options, *data)
            self.assertLess(len(said), 1_000, said)
        self.run_command(2, "audit", "unread", "bob", "--data", server.folder / "not there")
        self.run_command(0, "audit", "unread", "--help")
        self.damage(server, self.audit(0, server, "bob")["unread_counts"][0]["peer_id"])
        printed = self.run_command(1, "audit", "unread", "bob", *data)
        self.assertIn("direct ann: the log says 3, the view 2", printed)
        found = self.audit(1, server, "bob")
        self.assertFalse(found["view"]["agrees"])
        self.assertEqual([("ann", 3, 2)], [(item["send_id"], item["log"], item["view"])
                                           for item in found["view"]["differences"]])
        self.audit(0, server, "ann")
        self.run_command(0, "replay", "--view", "unread", *data)
        self.assertTrue(self.audit(0, server, "bob")["view"]["agrees"])

    def damage(self, server: Server, peer: str) -> None:
        """Moves a reader's mark to the first message of a peer, in the view alone. LMDB pages have no checksum."""
        start = b"\x00\x01" + bytes.fromhex(peer)
        changed = 0
        for path in (server.data / "views").glob("unread-*/data.mdb"):
            with open(path, "r+b") as file:
                data = file.read()
                at = data.find(start)
                while at >= 0:
                    # After two flags and the id: own messages, the last of them, the mark.
                    file.seek(at + len(start) + 16)
                    file.write((1).to_bytes(8, "little"))
                    changed += 1
                    at = data.find(start, at + 1)
        self.assertGreater(changed, 0, "the view has no such row: there is nothing to damage here")


if __name__ == "__main__":
    unittest.main()
