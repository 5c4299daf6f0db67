"""`quipu audit`: every event as the log has it, with the server running or not, and never a password's hash; which
messages an unread count is made of; and what somebody would have been shown at another time."""

import csv
import io
import json
import os
import random
import re
import threading
import unittest

from commands import CommandTest
from harness import PASSWORD, Server, quipu
from sockets import assert_code
from texts import texts
from traffic import Traffic

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
        traffic = Traffic(self, server, names, choice, lambda: f"secret {choice.random()}")
        said = []

        def look(name: str) -> tuple[str, dict, dict]:
            socket, head = traffic.sockets[name], traffic.settle()
            unread = {}
            for key, place in traffic.places(name).items():
                answer = socket.ask({"type": 3, "mark": False} | place)
                unread[key] = [row["ID"] for row in answer["content"]] if answer["code"] == 50000 else []
            counts = socket.ask({"type": 4})
            self.assertEqual(head, counts["as_of"], "nothing happened meanwhile")
            return name, counts, unread

        for _ in range(24):
            for _ in range(10):
                traffic.step(choice.choice(names))
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
                traffic.close()
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


class AuditAsOf(CommandTest):
    names = ["ann", "bob", "eve 客"]

    def as_of(self, code: int, server: Server, *options) -> dict:
        """What the command says with --json."""
        ended = quipu("audit", "as-of", *map(str, options), "--json", "--data", str(server.data))
        self.assertEqual(code, ended.returncode, f"{options}:\n{ended.stdout}{ended.stderr}")
        self.assertEqual(1, ended.stdout.count("\n"), ended.stdout)
        return json.loads(ended.stdout)

    def assert_history(self, answer: dict, found: dict, where: str) -> None:
        """The command found what a type 2 answer shows, field by field and in the same order."""
        rows = answer["content"] if answer["code"] == 50000 else []
        self.assertEqual(rows, found["content"], where)
        self.assertEqual([list(row) for row in rows], [list(row) for row in found["content"]], where)
        self.assertEqual(answer["as_of"], found["as_of"], where)
        if rows:
            self.assertEqual(answer.get("more"), found.get("more"), where)

    def test_what_was_shown_then(self):
        """Whatever was sent, edited, deleted and read later: as of an offset it says what type 2 said there."""
        seed = int(os.environ.get("QUIPU_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
        print(f"test_audit: QUIPU_SEED={seed}", flush=True)
        choice = random.Random(seed)
        names = self.names
        server = self.server()
        words = texts(7)
        traffic = Traffic(self, server, names, choice, lambda: next(words))
        shown, members = [], []
        for _ in range(16):
            for _ in range(12):
                traffic.step(choice.choice(names))
            name, head = choice.choice(names), traffic.settle()
            for key, place in traffic.places(name).items():
                limit = choice.choice([None, 1, 5, 100])
                page = {} if limit is None else {"limit": limit}
                answer = traffic.sockets[name].ask({"type": 2, "mark": False} | place | page)
                assert_code(self, (50000, 50001), answer)
                self.assertEqual(head, answer["as_of"], "nothing happened meanwhile")
                shown.append((name, key, limit, answer))
            inside = server.request("GET", f"/rooms/{traffic.room}", token=traffic.tokens[traffic.inside[0]])
            members.append((head, inside.json["data"]["members"], traffic.owner))
        rows = [row for *_, answer in shown if answer["code"] == 50000 for row in answer["content"]]
        self.assertTrue(any(row["CreatedAt"] != row["UpdatedAt"] for row in rows), f"seed {seed}: no edits")
        self.assertEqual({False, True}, {row["is_read"] for row in rows}, f"seed {seed}")
        joinings = [json.loads(line) for line in self.run_command(
            0, "audit", "list", "--data", server.data, "--type", "MemberAdded", "--format", "json").splitlines()]
        for running in (True, False):
            for name, key, limit, answer in shown:
                other = ["--room", key] if key == traffic.room else [key]
                page = [] if limit is None else ["--limit", limit]
                found = self.as_of(0, server, answer["as_of"], "history", name, *other, *page)
                self.assert_history(answer, found, f"seed {seed}, {name} and {key} at {answer['as_of']}")
            for head, inside, owner in members:
                where = f"seed {seed}, at {head}"
                found = self.as_of(0, server, head, "members", "r")
                self.assertEqual(inside, [member["account"] for member in found["members"]], where)
                self.assertEqual([owner], [member["account"] for member in found["members"] if member["owner"]], where)
                joined = {event["member"]: (event["offset"], event["time"])
                          for event in joinings if event["offset"] <= head}
                self.assertEqual([joined[name] for name in inside],
                                 [(member["joined"], member["joined_at"]) for member in found["members"]], where)
                name = choice.choice(names)
                unread = self.as_of(0, server, head, "unread", name)
                printed = self.run_command(0, "audit", "unread", name, "--as-of", head, "--json", "--data", server.data)
                self.assertEqual(json.loads(printed), unread)
            if running:
                traffic.close()
                self.assertEqual(0, server.stop())

    def test_beside_a_busy_server(self):
        server = self.server()
        tokens = {name: server.account(name) for name in ("ann", "bob")}
        stop, failures = threading.Event(), []

        def load() -> None:
            try:
                with server.session(tokens["bob"]) as bob:
                    # No edits: an answer shows those too that came between its `as_of` and its rows.
                    while not stop.is_set():
                        bob.ask({"type": 1, "to": "ann", "content": "hello"})
            except BaseException as error:
                failures.append(repr(error))
        thread = threading.Thread(target=load)
        thread.start()
        heads = []
        try:
            with server.session(tokens["ann"]) as ann:
                while len(heads) < 10 and not failures:
                    answer = ann.ask({"type": 2, "to": "bob", "limit": 50})
                    found = self.as_of(0, server, answer["as_of"], "history", "ann", "bob", "--limit", 50)
                    self.assert_history(answer, found, f"at {answer['as_of']}")
                    heads.append(answer["as_of"])
        finally:
            stop.set()
            thread.join()
        self.assertEqual([], failures)
        self.assertEqual(sorted(set(heads)), heads, "there was traffic meanwhile")

    def test_exit_codes(self):
        server = self.server()
        tokens = {name: server.account(name) for name in ("ann", "bob")}
        room = server.room(tokens["ann"], "r", [])
        with server.session(tokens["ann"]) as ann:
            rude = "one\n\x1b[31m\u202e"
            last = [ann.ask({"type": 1, "to": "bob", "content": text})["offset"] for text in ("two", rude)][-1]
        self.assertEqual(0, server.stop())
        data = ("--data", server.data)
        lines = self.run_command(0, "audit", "as-of", last, "history", "bob", "ann", *data).splitlines()
        self.assertEqual([r"one\n\u{1B}[31m\u{202E}", "two"], [line.split()[-1] for line in lines[1:3]])
        self.assertRegex(lines[3], rf"^bob with ann, as of offset {last}, .*: 2 messages$")
        self.assertEqual(4, len(lines))
        self.assertIn(": 1 member", self.run_command(0, "audit", "as-of", last, "members", room, *data))
        for options in (["0", "history", "ann", "bob"], [last + 1, "history", "ann", "bob"],
                        ["1999-01-01", "history", "ann", "bob"], ["2999-01-01", "history", "ann", "bob"],
                        [last, "history", "ann", "zed"], [last, "history", "zed", "ann"], [1, "history", "ann", "bob"],
                        [last, "history", "bob", "--room", "r"], [last, "history", "ann", "--room", "q"],
                        [last, "history", "ann"], [last, "history", "ann", "bob", "--room", "r"],
                        [last, "history", "ann", "bob", "--limit", "0"], [last, "unread", "zed"],
                        [2999, "unread", "ann"], [last, "members", "q"], [1, "members", "r"], [last, "then", "ann"],
                        [last], ["soon"], []):
            said = self.run_command(2, "audit", "as-of", *options, *(data if len(options) > 2 else ()))
            self.assertLess(len(said), 1_000, said)
        self.run_command(2, "audit", "as-of", last, "history", "ann", "bob", "--data", server.folder / "not there")
        for options in ([], [last, "history"], [last, "unread"], [last, "members"]):
            self.run_command(0, "audit", "as-of", *options, "--help")


if __name__ == "__main__":
    unittest.main()
