"""`quipu user erase`: nothing of the account is in any byte of any file, whatever interrupted it; its sockets, tokens
and name; and what the others are shown instead."""

import json
import subprocess
import time
import unittest

from erasure import LONG, ErasureTest
from harness import WAIT_SECONDS, Server, binary, environment, wait_for
from sockets import Socket, assert_code, refused
from tokens import decode, sign, verify


class EraseUser(ErasureTest):
    def fill(self, server: Server, messages: int = 3) -> None:
        self.tokens = {name: self.register(server, name) for name in ("ann-to-go", "bob")}
        self.marks["name"] = "ann-to-go"
        self.room = server.room(self.tokens["bob"], "r", ["ann-to-go"])
        text = self.secret("sent")
        with server.session(self.tokens["ann-to-go"]) as ann, server.session(self.tokens["bob"]) as bob:
            for number in range(messages):
                ann.send({"type": 1, "content": f"{text}{number}", "to": "bob"})
            for _ in range(messages):
                self.message = assert_code(self, (50002, 50003), ann.reply())["offset"]
            ann.ask({"type": 9, "to": "bob", "target": self.message, "content": self.secret("edited", LONG)})
            self.in_room = self.say(ann, self.secret("in the room"), room=self.room)
            self.say(bob, self.secret("stays"), to="ann-to-go")
            ann.ask({"type": 2, "to": "bob", "mark": False, "limit": 1})
            ann.ask({"type": 4})
        self.stays = {"stays", "e-mail of bob", "username of bob"}
        self.assertEqual(set(self.marks), self.found(server))

    @property
    def account_id(self) -> str:
        claims = json.loads(decode(self.tokens["ann-to-go"].split(".")[1]))
        self.assertRegex(claims["id"], "^[0-9a-f]{32}$")
        return claims["id"]

    def check_gone(self, server: Server) -> None:
        """What the server says afterwards to whoever still has the old token, and to the other side."""
        old, name = self.tokens["ann-to-go"], "ann-to-go"
        label = "erased/" + self.account_id
        for again in (False, True):
            self.assertEqual(401, server.request("GET", "/account/member/profile", token=old).status)
            self.assertEqual(401, server.request("GET", "/rooms", token=old).status)
            for path in ("/ws", "/ws/" + name):
                self.assertEqual(401, refused(server.url(path), old)[0])
            self.assertEqual(401, refused(server.url("/ws", send_id=name, receive_id="bob"), old)[0])
            if not again:
                reply = server.login(name)
                self.assertEqual((400, "查無帳號"), (reply.status, reply.json["msg"]))
                # The name is free: who takes it now is somebody else, and an old token still nobody.
                token = server.account(name)
        with server.session(token) as other:
            self.assertEqual(50001, other.ask({"type": 2, "to": "bob"})["code"])
        with server.session(self.tokens["bob"]) as bob:
            counts = bob.ask({"type": 4})
            self.assertEqual([label], [row["send_id"] for row in counts["unread_counts"]])
            self.assertEqual(1, len(counts["room_counts"]))
            answer = assert_code(self, 50000, bob.ask({"type": 2, "to": label, "mark": False}))
            self.assertEqual(label, answer["from"])
            mine = [row for row in answer["content"] if row["send_id"] == "bob"]
            theirs = [row for row in answer["content"] if row["send_id"] == label]
            self.assertEqual((1, None, label), (len(mine), mine[0].get("redacted"), mine[0]["receive_id"]))
            self.assertEqual(len(answer["content"]) - 1, len(theirs))
            self.assertEqual({("", True)}, {(row["content"], row.get("redacted")) for row in theirs})
            self.assertEqual(counts["total_counts"], len(theirs))
            row, = bob.ask({"type": 2, "room": self.room, "mark": False})["content"]
            self.assertEqual((label, "", True), (row["send_id"], row["content"], row.get("redacted")))
            assert_code(self, 50022, bob.ask({"type": 1, "to": label, "content": "x"}))
            assert_code(self, 50000, bob.ask({"type": 5, "to": label}))
            self.assertEqual(0, bob.ask({"type": 4})["total_counts"])
        with server.conversation("bob", label, self.tokens["bob"]) as pair:
            self.assertEqual(label, pair.ask({"type": 2, "limit": 1})["from"])
        members = server.request("GET", f"/rooms/{self.room}", token=self.tokens["bob"]).json["data"]["members"]
        self.assertEqual(["bob", label], members)
        path = f"/rooms/{self.room}/members/" + label.replace("/", "%2F")
        self.assertEqual(204, server.request("DELETE", path, token=self.tokens["bob"]).status)

    def test_with_the_server_running(self):
        server = self.server()
        self.fill(server)
        old = self.tokens["ann-to-go"]
        self.assertEqual(200, server.request("GET", "/account/member/profile", token=old).status)
        with server.session(old) as session, server.conversation("ann-to-go", "bob", old) as pair, \
                server.room_socket("ann-to-go", old) as rooms, server.session(self.tokens["bob"]) as bob, \
                server.conversation("bob", "ann-to-go", self.tokens["bob"]) as kept:
            report = self.report(server, "user", "erase", "ann-to-go", "--reason", "asked for it")
            self.assertEqual(self.account_id, report["account_id"])
            # The registration, two logins … and every message and edit.
            self.assertGreaterEqual(report["erased"], 7)
            for socket in (session, pair, rooms):
                self.assertEqual(4003, socket.close_code())
            push = bob.delivery()
            self.assertEqual((50009, True, "erased/" + self.account_id),
                             tuple(push.get(key) for key in ("code", "redacted", "sender")))
            # A socket of the conversation with it lives on, and shows no name either.
            answer = kept.ask({"type": 2, "mark": False})
            self.assertNotIn("ann-to-go", json.dumps(answer))
            self.assertEqual("erased/" + self.account_id, answer["from"])
        self.assertEqual(self.stays, self.found(server))
        self.verify(server)
        del self.marks["name"]
        self.check_gone(server)
        self.assertEqual(0, server.stop())
        server.start()
        self.assertEqual(401, server.request("GET", "/rooms", token=old).status)
        self.assertEqual(self.stays, self.found(server) - {"name"})

    def test_without_a_server(self):
        server = self.server()
        self.fill(server)
        self.assertEqual(0, server.stop())
        self.erase(server, "user", "erase", "ann-to-go")
        self.assertEqual(self.stays, self.found(server))
        self.verify(server)
        erased = [event for event in self.listed(server) if event["type"] == "UserErased"]
        self.assertEqual(1, len(erased))
        server.start()
        self.check_gone(server)

    def test_tokens_that_do_not_say_whose_name_it_was(self):
        """As somebody else signs them who has the key: they hold for the account that had the name then."""
        key = "a key that others have as well, of 32 bytes and more"
        server = self.server(config={"auth": {"jwt_key": key}})
        self.fill(server)
        claims = verify(self.tokens["ann-to-go"], key.encode())[1]
        old = sign({name: value for name, value in claims.items() if name != "id"}, key.encode())
        self.assertEqual(200, server.request("GET", "/rooms", token=old).status)
        self.erase(server, "user", "erase", "ann-to-go")
        self.assertEqual(401, server.request("GET", "/rooms", token=old).status)
        # Its time is in whole seconds, and so is as good as that of an account which was made in the same one.
        wait_for(lambda: time.time() >= claims["nbf"] + 1, "the next second")
        self.assertEqual(202, server.register("ann-to-go").status)
        self.assertEqual(401, server.request("GET", "/rooms", token=old).status)
        self.assertEqual(401, refused(server.url("/ws"), old)[0])
        new = {"nbf": int(time.time()), "iat": int(time.time())}
        new = sign({name: value for name, value in (claims | new).items() if name != "id"}, key.encode())
        self.assertEqual([], server.request("GET", "/rooms", token=new).json["data"])
        forged = sign(claims | {"id": "x"}, key.encode())
        self.assertEqual(401, server.request("GET", "/rooms", token=forged).status)

    def test_a_guest(self):
        server = self.server("open")
        with Socket(server.url("/ws", account="guest-to-go")).greeted() as guest:
            self.say(guest, self.secret("sent"), to="bob")
            self.marks["name"] = "guest-to-go"
            self.erase(server, "user", "erase", "guest-to-go", "--yes", "--reason", "r")
            self.assertEqual(4003, guest.close_code())
        self.assertEqual(set(), self.found(server))


class Interrupted(EraseUser):
    """kill -9 in the middle: running it again does the rest."""

    MESSAGES = 2_000

    # Not those of the class above once more.
    test_with_the_server_running = test_without_a_server = test_a_guest = None
    test_tokens_that_do_not_say_whose_name_it_was = None

    def kill_when(self, server: Server, victim: subprocess.Popen, command: subprocess.Popen, is_due) -> bool:
        """Kills it the moment that something is so; whether it came to that before the command ended."""
        deadline = time.monotonic() + WAIT_SECONDS
        while command.poll() is None:
            self.assertLess(time.monotonic(), deadline, "the command doesn't end")
            if is_due(server):
                victim.kill()
                command.wait(WAIT_SECONDS)
                return True
        return False

    def start_erasing(self, server: Server) -> subprocess.Popen:
        command = subprocess.Popen([binary(), "user", "erase", "ann-to-go", "--data", server.data, "--reason", "r"],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   env=environment())
        self.addCleanup(command.stdout.close)
        self.addCleanup(command.wait)
        return command

    STAGES = {
        "as soon as it begins": lambda server: (server.data / "erasing").exists(),
        "when the log is written anew": lambda server: (server.data / "log.compacting").exists(),
        "when views are": lambda server: any((server.data / "views").glob("*.rebuild")),
    }

    def test_kill_the_server(self):
        for stage, is_due in self.STAGES.items():
            with self.subTest(stage):
                self.marks = {}
                server = self.server()
                self.fill(server, self.MESSAGES)
                hit = self.kill_when(server, server.process, self.start_erasing(server), is_due)
                server.kill()
                self.assertTrue(hit, "it was over before it could be killed")
                self.finish(server, with_server=stage != "when views are")

    def test_kill_the_command(self):
        for stage, is_due in self.STAGES.items():
            with self.subTest(stage):
                self.marks = {}
                server = self.server()
                self.fill(server, self.MESSAGES)
                self.assertEqual(0, server.stop())
                command = self.start_erasing(server)
                self.assertTrue(self.kill_when(server, command, command, is_due), "it was over before")
                self.finish(server, with_server=stage == "when views are")

    def finish(self, server: Server, with_server: bool) -> None:
        self.assertTrue((server.data / "erasing").exists(), "it was killed in the middle")
        if with_server:
            server.start()
            wait_for(lambda: "erasure was interrupted" in server.printed, "the warning")
        report = self.report(server, "user", "erase", "ann-to-go", "--reason", "r")
        self.assertTrue(report["resumed"])
        self.assertTrue(report["rewritten"])
        self.assertEqual(self.stays, self.found(server))
        self.assertFalse((server.data / "erasing").exists())
        leftovers = [path.name for path in server.data.rglob("*") if path.suffix not in ("", ".mdb", ".sock")]
        self.assertEqual([], [name for name in leftovers if "retired" in name or "compacting" in name], leftovers)
        self.verify(server)
        # Every one of them has lost its payload, once.
        events = self.listed(server)
        redacted = [event["offset"] for event in events if event["redacted"]]
        self.assertEqual(redacted, sorted({event["reference"] for event in events
                                           if event["type"] == "PayloadRedacted"}))
        self.assertEqual(len(redacted), sum(event["type"] == "PayloadRedacted" for event in events))
        self.assertIn("no account", self.erase(server, "user", "erase", "ann-to-go", code=2))

if __name__ == "__main__":
    unittest.main()
