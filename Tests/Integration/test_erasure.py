"""`quipu audit redact`: what is erased is in no byte of any file, with the server running or not, and on a full disk
when there is room again; what the others are shown instead; and what is refused."""

import os
import subprocess
import unittest

from erasure import LONG, ErasureTest
from harness import Server
from sockets import Socket, assert_code


class Redact(ErasureTest):
    def fill(self, server: Server) -> None:
        """Two messages that will go, one of them edited, one in a room; one that stays."""
        self.tokens = {name: self.register(server, name) for name in ("ann", "bob")}
        self.room = server.room(self.tokens["ann"], "r", ["bob"])
        with server.session(self.tokens["ann"]) as ann:
            self.message = self.say(ann, self.secret("sent", LONG), to="bob", id="m-1")
            self.stays = self.say(ann, self.secret("stays"), to="bob")
            for what, length in (("first edit", 0), ("second edit", LONG)):
                edit = {"type": 9, "to": "bob", "target": self.message, "content": self.secret(what, length)}
                self.edit = assert_code(self, 50000, ann.ask(edit))["offset"]
            self.in_room = self.say(ann, self.secret("in the room"), room=self.room)
            # The views have it all.
            ann.ask({"type": 2, "to": "bob"})
            ann.ask({"type": 4})
        self.assertEqual(set(self.marks), self.found(server), "a search that finds nothing would prove nothing")

    def history(self, server: Server, token: str, **target) -> list[dict]:
        with server.session(token) as socket:
            return assert_code(self, 50000, socket.ask({"type": 2, "mark": False} | target))["content"]

    def counts(self, server: Server) -> dict:
        with server.session(self.tokens["bob"]) as socket:
            return {name: value for name, value in socket.ask({"type": 4}).items() if name.endswith("counts")}

    def check_redacted(self, server: Server) -> None:
        rows = {row["ID"]: row for row in self.history(server, self.tokens["bob"], to="ann")}
        self.assertEqual({self.message, self.stays}, set(rows))
        self.assertEqual(("", True, "ann"), tuple(rows[self.message].get(key)
                                                   for key in ("content", "redacted", "send_id")))
        self.assertIn("stays", rows[self.stays]["content"])
        self.assertNotIn("redacted", rows[self.stays])
        row, = self.history(server, self.tokens["bob"], room=self.room)
        self.assertEqual(("", True), (row["content"], row.get("redacted")))
        with server.session(self.tokens["bob"]) as socket:
            unread = assert_code(self, 50000, socket.ask({"type": 3, "to": "ann", "mark": False}))["content"]
            self.assertEqual([True, None], [row.get("redacted") for row in unread])

    def test_with_the_server_running(self):
        server = self.server()
        self.fill(server)
        counts = self.counts(server)
        head = self.head(server)
        with server.session(self.tokens["ann"]) as ann, server.session(self.tokens["bob"]) as bob, \
                server.conversation("bob", "ann", self.tokens["bob"]) as pair, \
                Socket(server.url("/ws", send_id="bob", receive_id="ann", events="1"), self.tokens["bob"]) as watching:
            watching.greeted()
            report = self.report(server, "audit", "redact", self.message, "--reason", "court order")
            self.assertEqual((3, head + 3, True, False),
                             tuple(report[key] for key in ("erased", "offset", "rewritten", "resumed")), report)
            self.report(server, "audit", "redact", self.in_room, "--reason", "court order")
            # All that follow the conversation hear of it, who only reads messages doesn't.
            for socket in (ann, bob, watching):
                push = socket.delivery()
                expected = {"from": "Server", "code": 50009, "content": "", "event": "deleted", "redacted": True,
                            "target": self.message, "offset": head + 1, "sender": "ann", "to": "bob"}
                self.assertEqual(expected, {key: push.get(key) for key in expected})
            for socket in (ann, bob):
                push = socket.delivery()
                self.assertEqual((50009, True, self.in_room, self.room),
                                 tuple(push.get(key) for key in ("code", "redacted", "target", "room")), push)
            self.say(ann, "live", to="bob")
            self.assertEqual("live", pair.delivery()["content"])
            self.assertEqual("live", bob.delivery()["content"])
            # A redacted message can't be edited; a send that is repeated is a new one.
            edit = {"type": 9, "to": "bob", "target": self.message, "content": "x"}
            assert_code(self, 50022, ann.ask(edit))
            again = self.say(ann, "new", to="bob", id="m-1")
            self.assertGreater(again, head)
            assert_code(self, 50000, ann.ask({"type": 10, "to": "bob", "target": again}))
            # What is resumed shows nothing of it either.
            bob.delivered.clear()
            bob.send({"type": 6, "after": 0})
            came = {}
            while (frame := bob.receive())["code"] != 50010:
                came.setdefault(frame.get("offset"), frame)
            for offset in (self.message, self.edit, self.in_room):
                self.assertEqual(("", True), (came[offset]["content"], came[offset].get("redacted")), came[offset])
            self.assertEqual((50009, True, self.message),
                             tuple(came[head + 1].get(key) for key in ("code", "redacted", "target")))
            self.assertNotIn(head + 2, came, "what it was edited to is gone with it")
        self.assertEqual({"stays"} | {what for what in self.marks if "of" in what}, self.found(server))
        # Unread as before; what was sent meanwhile bob has read on the conversation's socket, and so what came before.
        self.assertEqual({"room_counts": counts["room_counts"], "total_counts": 0, "unread_counts": []},
                         self.counts(server))
        self.verify(server)
        self.assertEqual(0, server.stop())
        self.assertEqual({"stays"} | {what for what in self.marks if "of" in what}, self.found(server))
        self.verify(server)

    def test_without_a_server(self):
        server = self.server()
        self.fill(server)
        counts = self.counts(server)
        self.assertEqual(0, server.stop())
        printed = self.erase(server, "audit", "redact", self.message, "--reason", "court order")
        self.assertRegex(printed, "3 events.*\n.*anew.*\n.*backups")
        self.erase(server, "audit", "redact", self.in_room, "--reason", "court order")
        self.assertEqual({"stays"} | {what for what in self.marks if "of" in what}, self.found(server))
        self.verify(server)
        server.start()
        self.check_redacted(server)
        self.assertEqual(counts, self.counts(server))

    def test_an_edit_alone(self):
        """A later edit shows again; what was redacted shows nothing until then."""
        server = self.server()
        self.fill(server)
        with server.session(self.tokens["bob"]) as bob, server.session(self.tokens["ann"]) as ann:
            self.report(server, "audit", "redact", self.edit, "--reason", "r")
            push = bob.delivery()
            self.assertEqual((50009, self.message), tuple(push.get(key) for key in ("code", "target")), push)
            row = self.history(server, self.tokens["bob"], to="ann")[1]
            self.assertEqual(("", True), (row["content"], row.get("redacted")))
            assert_code(self, 50000, ann.ask({"type": 9, "to": "bob", "target": self.message, "content": "mended"}))
            push = bob.delivery()
            self.assertEqual((50008, "mended"), tuple(push.get(key) for key in ("code", "content")), push)
            row = self.history(server, self.tokens["bob"], to="ann")[1]
            self.assertEqual(("mended", None), (row["content"], row.get("redacted")))
            # An edit that others came after is shown nowhere, and nobody is told.
            self.report(server, "audit", "redact", self.edit - 1, "--reason", "r")
            self.say(ann, "next", to="bob")
            self.assertEqual("next", bob.delivery()["content"])
        self.assertEqual({"sent", "stays", "in the room"} | {what for what in self.marks if "of" in what},
                         self.found(server))

    def test_what_is_refused(self):
        server = self.server()
        self.fill(server)
        read = self.head(server)
        with server.session(self.tokens["bob"]) as bob:
            assert_code(self, 50000, bob.ask({"type": 5, "to": "ann"}))
        read += 1
        for running in (True, False):
            head = len(self.listed(server))
            printed = self.erase(server, "audit", "redact", 4711, "--reason", "r", code=2)
            self.assertIn("no event 4711", printed)
            self.assertIn(str(head), printed, "it says where the log ends")
            self.assertIn("nothing to erase", self.erase(server, "audit", "redact", read, "--reason", "r", code=1))
            self.assertIn("quipu user erase", self.erase(server, "audit", "redact", 1, "--reason", "r", code=1))
            self.assertIn("eve", self.erase(server, "user", "erase", "eve", "--reason", "r", code=2))
            for wrong in (["audit", "redact", "x", "--reason", "r"], ["audit", "redact", "5"],
                          ["audit", "redact", "5", "--reason", ""], ["user", "erase"],
                          ["audit", "redact", "5", "--reason", "x" * 1025], ["audit", "redact", "0", "--reason", "r"]):
                self.erase(server, *wrong, code=2)
            self.assertEqual(head, len(self.listed(server)), "nothing was written")
            self.assertFalse((server.data / "erasing").exists())
            # Once more is no error.
            self.erase(server, "audit", "redact", self.stays, "--reason", "x" * 1024)
            again = self.report(server, "audit", "redact", self.stays, "--reason", "r")
            self.assertEqual((0, False), (again["erased"], again["rewritten"]))
            self.assertIn("before", self.erase(server, "audit", "redact", self.stays, "--reason", "r"))
            if running:
                self.assertEqual(0, server.stop())
                self.stays = self.in_room
        self.assertIn("no log", self.run_command(2, "audit", "redact", "1", "--reason", "r", "--data",
                                                 server.folder / "nowhere"))

    def test_what_the_audit_shows(self):
        server = self.server()
        self.fill(server)
        self.erase(server, "audit", "redact", self.message, "--reason", "court order, 12/26")
        listed = {event["offset"]: event for event in self.listed(server)}
        self.assertEqual((True, "MessageSent", "ann", "bob"),
                         tuple(listed[self.message][key] for key in ("redacted", "type", "actor", "to")))
        self.assertNotIn("content", listed[self.message])
        redaction = [event for event in listed.values() if event["type"] == "PayloadRedacted"][0]
        self.assertEqual((self.message, "court order, 12/26", None),
                         tuple(redaction[key] for key in ("reference", "reason", "actor")))
        table = self.run_command(0, "audit", "list", "--data", server.data)
        self.assertRegex(table, rf"\n *{self.message} .*MessageSent +ann +to bob \(redacted\)\n")
        self.assertRegex(table, rf"PayloadRedacted +Server +event {self.message}: court order, 12/26\n")
        printed = self.run_command(0, "audit", "list", "--data", server.data, "--format", "csv")
        self.assertRegex(printed, rf"\n{self.message},[^\n]*,true,,\r?\n")
        self.assertIn('"court order, 12/26"', printed)

    def test_on_a_full_disk(self):
        """The redaction stands, the bytes are still there, and the command says both; with room it does the rest."""
        server = Server()
        self.addCleanup(server.remove)
        server.data.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", server.data],
                          capture_output=True).returncode:
            self.skipTest("needs the right to mount a file system")
        self.addCleanup(subprocess.run, ["umount", "--lazy", server.data])
        server.start()
        self.fill(server)
        with server.session(self.tokens["bob"]) as bob:
            for _ in range(100):
                bob.send({"type": 1, "to": "ann", "content": "x" * 60_000})
            for _ in range(100):
                assert_code(self, (50002, 50003), bob.reply())
            bob.ask({"type": 2, "to": "ann", "limit": 1})
        ballast = server.data / "ballast"
        with open(ballast, "wb") as file:
            free = os.statvfs(server.data)
            file.write(bytes(free.f_bavail * free.f_bsize - (2 << 20)))
        for running in (True, False):
            printed = self.erase(server, "audit", "redact", self.message, "--reason", "r", code=1)
            self.assertRegex(printed, r"erased from the log, but its bytes .*old file of the log.*room.*run the same")
            self.assertTrue((server.data / "erasing").exists())
            self.assertFalse((server.data / "log.compacting").exists())
            if running:
                self.assertEqual(200, server.request("GET", "/health/live").status)
                with server.session(self.tokens["bob"]) as bob:
                    self.say(bob, "there is room for that", to="ann")
                self.assertEqual(0, server.stop())
        self.assertIn("sent", self.found(server))
        ballast.unlink()
        report = self.report(server, "audit", "redact", self.message, "--reason", "r")
        self.assertEqual((0, True, True), tuple(report[key] for key in ("erased", "resumed", "rewritten")))
        self.assertEqual({"stays", "in the room"} | {what for what in self.marks if "of" in what}, self.found(server))
        self.verify(server)

    def head(self, server: Server) -> int:
        return server.request("GET", "/health/ready").json["head"]

if __name__ == "__main__":
    unittest.main()
