"""`quipu audit list`: every event as the log has it, with the server running or not, and never a password's hash."""

import csv
import io
import json
import re
import unittest

from commands import CommandTest
from harness import PASSWORD, Server, quipu
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


if __name__ == "__main__":
    unittest.main()
