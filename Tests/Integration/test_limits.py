"""Each limit of the wire: what just fits is taken, one more is not."""

import json
import unittest

from harness import PASSWORD, Server, wait_for
from rawsocket import CONTINUATION, PING, RawSocket, frame, request
from sockets import assert_code, refused

CONTENT = 65_536
FRAME = 458_752
HTTP_BODY = 1_048_576
HEAD = 16_384


class DefaultLimits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.remove)
        cls.tokens = {name: cls.server.account(name) for name in ("ann", "bob", "eve")}

    def raw(self) -> RawSocket:
        raw = RawSocket(self.server.port).upgrade("/ws?send_id=ann&receive_id=bob", self.tokens["ann"])
        self.addCleanup(raw.close)
        self.assertEqual(50000, raw.read_json()["code"])
        return raw

    def test_the_content_of_a_message(self):
        """65,536 bytes after decoding, however they were written."""
        fits = {"ascii": '"' + "x" * CONTENT + '"', "three bytes each": '"x' + "界" * (CONTENT // 3) + '"',
                "four bytes each": '"' + "🦊" * (CONTENT // 4) + '"', "escaped": '"' + "\\u0041" * CONTENT + '"',
                "escaped pairs": '"' + "\\ud83e\\udd8a" * (CONTENT // 4) + '"', "newlines": '"' + "\\n" * CONTENT + '"'}
        with self.server.session(self.tokens["eve"]) as session, self.server.session(self.tokens["bob"]) as other:
            for name, text in fits.items():
                with self.subTest(case=name):
                    assert_code(self, 50002, session.ask('{"type":1,"to":"bob","content":%s}' % text), name)
                    self.assertEqual(json.loads(text), other.delivery()["content"])
                    longer = '"x' + text[1:]
                    assert_code(self, 50023, session.ask('{"type":1,"to":"bob","content":%s}' % longer), name)
            rows = session.ask({"type": 2, "to": "bob"})["content"]
            self.assertEqual([json.loads(text) for text in reversed(fits.values())], [row["content"] for row in rows])

    def test_frames_and_messages(self):
        """458,752 bytes in one frame or in many; one more closes with 1009."""
        base = b'{"type":4}'
        raw = self.raw()
        raw.send(frame(base.ljust(FRAME)))
        self.assertIn("total_counts", raw.read_json())
        whole = base.ljust(FRAME)
        raw.send(frame(whole[:5], fin=False) + frame(whole[5:300_000], CONTINUATION, fin=False) + frame(b"", PING)
                 + frame(whole[300_000:], CONTINUATION))
        self.assertIn("total_counts", raw.read_json())
        for name, data in [("one frame", frame(base.ljust(FRAME + 1))),
                           ("fragments", frame(whole, fin=False) + frame(b" ", CONTINUATION))]:
            with self.subTest(case=name):
                raw = self.raw()
                raw.send(data)
                self.assertEqual(1009, raw.close_code())

    def test_http_bodies_and_heads(self):
        body = json.dumps({"account": "long", "password": PASSWORD, "email": "e", "username": "L"}).encode()
        self.assertEqual(413, self.server.request("POST", "/account/register", body.ljust(HTTP_BODY + 1)).status)
        self.assertEqual(202, self.server.request("POST", "/account/register", body.ljust(HTTP_BODY)).status)
        for path in ("/ping", "/ws?send_id=eve&receive_id=bob"):
            # What counts is the URL and the headers' names and values; not what stands between them.
            for size, taken in ((HEAD, True), (HEAD + 1, False)):
                with self.subTest(path=path, size=size), RawSocket(self.server.port) as raw:
                    fields = raw.headers(self.tokens["eve"]) if path != "/ping" else {"Host": "127.0.0.1"}
                    fields["X-Pad"] = ""
                    counted = len(path) + sum(len(k) + len(v) for k, v in fields.items())
                    fields["X-Pad"] = "x" * (size - counted)
                    lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
                    raw.send(("\r\n".join(lines) + "\r\n\r\n").encode())
                    status = raw.read_reply()[0]
                    if taken:
                        self.assertEqual(200 if path == "/ping" else 101, status)
                    else:
                        self.assertIn(status, (400, 413, 431))

    def test_names_ids_and_refs(self):
        """64 bytes each, in UTF-8."""
        for name in ("a" * 64, "ж" * 32):
            self.assertEqual(202, self.server.register(name).status, name)
            self.assertEqual(400, self.server.register(name + "a").status, name)
            reply = self.server.request("POST", "/rooms", {"name": name, "members": []}, self.tokens["ann"])
            self.assertEqual(201, reply.status, str(reply))
            reply = self.server.request("POST", "/rooms", {"name": name + "a", "members": []}, self.tokens["ann"])
            self.assertIn(reply.status, (400, 409), str(reply))
            with self.server.session(self.tokens["ann"]) as session:
                for field in ("id", "ref"):
                    sent = {"type": 1, "to": "bob", "content": "x", field: name}
                    self.assertEqual(name, assert_code(self, 50003, session.ask(sent)).get(field))
                    assert_code(self, (50020, 50023), session.ask(sent | {field: name + "a"}), field)

    def test_pages(self):
        with self.server.session(self.tokens["bob"]) as session:
            for kind in (2, 3):
                for limit in (1, 10_000):
                    assert_code(self, (50000, 50001), session.ask({"type": kind, "to": "ann", "limit": limit}))
                for limit in (0, 10_001, -1):
                    assert_code(self, 50020, session.ask({"type": kind, "to": "ann", "limit": limit}), str(limit))
            for offset in (1, 2**53 - 1):
                assert_code(self, (50000, 50001), session.ask({"type": 2, "to": "ann", "before": offset}))
                assert_code(self, 50000, session.ask({"type": 5, "to": "ann", "upto": offset}))
            for offset in (0, -1, 2**53, 2**64, 1.5):
                assert_code(self, 50020, session.ask({"type": 2, "to": "ann", "before": offset}), str(offset))
                assert_code(self, 50020, session.ask({"type": 5, "to": "ann", "upto": offset}), str(offset))
            ack = session.ask({"type": 1, "to": "ann", "content": "head"})
            # Past the head is the head.
            answer = session.ask({"type": 5, "to": "ann", "upto": 2**53 - 1})
            self.assertTrue(ack["offset"] <= answer["content"] < 2**53 - 1, answer)


class ConfiguredLimits(unittest.TestCase):
    def start(self, mode: str = "required", **limits: int) -> Server:
        server = Server({"limits": limits}, mode=mode).start()
        self.addCleanup(server.remove)
        return server

    def test_passwords(self):
        server = self.start(password_min_characters=4, password_bytes=20)
        for number, (password, status) in enumerate([("abc", 400), ("abcd", 202), ("密码密", 400), ("密码密码", 202),
                                                     ("p" * 20, 202), ("p" * 21, 400), ("密" * 6 + "p", 202),
                                                     ("密" * 7, 400)]):
            self.assertEqual(status, server.register(f"user{number}", password).status, password)

    def test_smaller_contents_and_frames(self):
        server = self.start("open", content_bytes=100, frame_bytes=4_696)
        with server.conversation("a", "b") as socket:
            self.assertEqual(100, socket.greeting["limits"].get("content_bytes", 100))
            assert_code(self, 50003, socket.ask({"type": 1, "content": "x" * 100}))
            assert_code(self, 50023, socket.ask({"type": 1, "content": "x" * 101}))
            self.assertIn("total_counts", socket.ask('{"type":4}'.ljust(4_696)))
            socket.send('{"type":4}'.ljust(4_697))
            self.assertEqual(1009, socket.close_code())

    def test_connections_of_one_address(self):
        server = self.start("open", connections_per_address=3)
        held = [server.conversation("a", "b") for _ in range(3)]
        with RawSocket(server.port) as raw:
            try:
                status = raw.ask_upgrade("/ws?send_id=a&receive_id=b", raw.headers())[0]
            except (EOFError, OSError):
                status = 0  # Hung up without a word.
            self.assertIn(status, (0, 403, 429, 503))
        held.pop().close()

        def opens() -> bool:
            try:
                held.append(server.conversation("a", "b"))
                return True
            except (OSError, EOFError, AssertionError):
                return False
            except Exception as error:
                if type(error).__module__.startswith("websockets"):
                    return False
                raise
        wait_for(opens, "a place to be free again")
        for socket in held:
            self.assertIn("total_counts", socket.ask({"type": 4}))
            socket.close()

    def test_messages_a_second(self):
        """A burst of ten seconds' worth; then 50004, which appends nothing; other users are not meant."""
        server = self.start("open", messages_per_second=3)
        with server.conversation("a", "b") as socket, server.conversation("c", "b") as other:
            for number in range(300):
                socket.send({"type": 1, "content": str(number)})
            codes = [socket.reply()["code"] for _ in range(300)]
            self.assertEqual([50003] * 30, codes[:30], "the burst")
            self.assertIn(50004, codes[30:])
            self.assertEqual({50003, 50004}, set(codes))
            assert_code(self, 50003, other.ask({"type": 1, "content": "me too"}))
            rows = socket.ask({"type": 2})["content"]
            expected = [str(number) for number, code in enumerate(codes) if code == 50003]
            self.assertEqual(expected[::-1], [row["content"] for row in rows])

    def test_unanswered_messages(self):
        server = self.start("open", unanswered=2)
        with server.conversation("a", "b") as one, server.conversation("b", "a") as two, \
                server.conversation("a", "c") as third:
            ask = {"type": 1, "content": "?"}
            self.assertEqual([50002, 50002, 50004], [one.ask(ask)["code"] for _ in range(3)])
            self.assertEqual([50003, 50003, 50004], [third.ask(ask)["code"] for _ in range(3)])
            two.ask(ask)
            self.assertEqual([50002, 50002, 50004], [one.ask(ask)["code"] for _ in range(3)])

    def test_silence(self):
        """A client that answers pings stays however idle it is; one that does not is cut."""
        server = self.start("open", ping_interval_seconds=1, idle_seconds=2)
        with server.conversation("a", "b") as idle, RawSocket(server.port) as mute:
            mute.upgrade("/ws?send_id=c&receive_id=d")
            pings = []
            try:
                while True:
                    opcode, _, payload = mute.read_frame()
                    if opcode == PING:
                        pings.append(payload)
            except EOFError:
                pass
            self.assertGreaterEqual(len(pings), 1, "it was asked before it was cut")
            self.assertIn("total_counts", idle.ask({"type": 4}))

    def test_names_in_open_mode(self):
        server = self.start("open")
        for name, taken in [("x" * 64, True), ("x" * 65, False), ("语" * 21, True), ("语" * 22, False), ("a/b", False),
                            ("a->b", False), ("Server", False), ("e\u0301", False), ("tab\t", False), ("", False)]:
            with self.subTest(name=name):
                url = server.url("/ws", send_id=name, receive_id="peer")
                if taken:
                    server.conversation(name, "peer").close()
                else:
                    self.assertEqual(400, refused(url)[0])

    def test_requests_that_wait(self):
        """More requests at once than may wait are slowed down, never lost."""
        server = self.start("open", pending_requests=4)
        with RawSocket(server.port) as raw:
            raw.upgrade("/ws?send_id=a&receive_id=b").read_json()
            raw.send(b"".join(request({"type": (1, 2, 4)[n % 3], "content": "x", "ref": n}) for n in range(300)))
            self.assertEqual(list(range(300)), [raw.read_json()["ref"] for _ in range(300)])


if __name__ == "__main__":
    unittest.main()
