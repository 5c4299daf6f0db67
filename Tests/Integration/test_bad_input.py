"""Bad input gets what the protocol says, the connection that sent it stays or goes as it says, and nobody else notices.

After each case a witness, who has been connected all along, and a newcomer are still answered.
"""

import json
import socket
import unittest

from harness import Server, wait_for
from rawsocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, frame, request
from sockets import assert_code

DEEP = 50_000


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server({"limits": {"handshake_seconds": 1}}).start()
        cls.addClassCleanup(cls.server.remove)
        cls.tokens = {name: cls.server.account(name) for name in ("ann", "bob", "carl", "witness")}
        cls.own_room = cls.server.room(cls.tokens["ann"], "own", [])
        cls.foreign_room = cls.server.room(cls.tokens["bob"], "foreign", [])
        cls.witness = cls.server.conversation("witness", "bob", cls.tokens["witness"])
        cls.addClassCleanup(cls.witness.close)

    def others_are_served(self, where: str) -> None:
        self.assertIn("total_counts", self.witness.ask({"type": 4}), f"after {where}")
        self.assertEqual(200, self.server.request("GET", "/ping").status, f"after {where}")

    def pair(self) -> RawSocket:
        raw = RawSocket(self.server.port).upgrade("/ws?send_id=ann&receive_id=bob", self.tokens["ann"])
        self.addCleanup(raw.close)
        self.assertEqual(50000, raw.read_json()["code"])
        return raw

    # Requests

    def test_requests_that_are_no_requests(self):
        """50020 says which is wrong, appends nothing, and the same socket goes on."""
        bad = [b"", b" ", b"{", b"}", b"[]", b"[1]", b'"x"', b"null", b"true", b"7", b"{}", b"{'type':4}", b"type=4",
               b'{"type":4', b'{"type":4}}', b'{"type":4} x', b'{"type":4}{"type":4}', b'{"type":4,}', b'{"type" 4}',
               b'{"type":04}', b'{"type":+4}', b'{"type":4.5}', b'{"type":"4"}', b'{"type":[4]}', b'{"type":true}',
               b'{"type":null}', b'{"content":"no type"}', b'{"type":0}', b'{"type":-1}', b'{"type":11}',
               b'{"type":50000}', b'{"type":9223372036854775808}', b'{"type":1e400}', b'{"type":NaN}',
               b'{"type":1,"content":5}', b'{"type":1,"content":["x"]}', b'{"type":1,"content":{"a":1}}',
               b'{"type":1,"content":true}', b'{"type":1,"content":"x}', b'{"type":1,"content":"\\x"}',
               b'{"type":1,"content":"\\u12"}', b'{"type":1,"content":"line\nbreak"}', b'{"type":1,"content":"\0"}',
               b'\0{"type":4}', b'{"type":4}\0', b'{"type":1,"content":"x","id":5}',
               b'{"type":2,"limit":"5"}', b'{"type":2,"limit":0}', b'{"type":2,"limit":-1}', b'{"type":2,"limit":1.5}',
               b'{"type":2,"limit":10001}', b'{"type":2,"before":"x"}', b'{"type":2,"before":-1}',
               b'{"type":2,"before":9007199254740992}', b'{"type":2,"before":0.5}', b'{"type":5,"upto":"x"}',
               b'{"type":5,"upto":-1}', b'{"type":5,"upto":9007199254740992}', b'{"type":2,"mark":"no"}',
               b'{"type":4,"ref":[1]}', b'{"type":4,"ref":{"a":1}}', b'{"type":4,"ref":true}',
               b"[" * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP, b"[" + b"0," * 200_000 + b"0]",
               b'{"' + b"k" * 400_000 + b'":1}', b"9" * 400_000, b'"' + b"\\u0041" * 70_000 + b'"']
        raw = self.pair()
        for payload in bad:
            with self.subTest(payload=payload[:80]):
                raw.send(frame(payload))
                answer = assert_code(self, 50020, raw.read_json(), repr(payload[:80]))
                self.assertEqual("Server", answer["from"])
                self.assertTrue(answer["content"], f"the content says what is wrong: {answer}")
        raw.send(request({"type": 2}))
        assert_code(self, 50001, raw.read_json(), "nothing of this was appended")
        self.others_are_served("bad requests")

    def test_what_may_be_taken_or_refused_but_must_not_harm(self):
        """Escaped NUL, lone surrogates, deep extras: one answer each, and what was acknowledged reads back as text."""
        raw = RawSocket(self.server.port).upgrade("/ws?send_id=carl&receive_id=ann", self.tokens["carl"])
        self.addCleanup(raw.close)
        raw.read_json()
        taken = 0
        for payload in (b'{"type":1,"content":"a\\u0000b"}', b'{"type":1,"content":"\\ud800"}',
                        b'{"type":1,"content":"\\udc00\\ud800"}', b'{"type":1,"content":"x\\ud83d"}',
                        b'{"type":1,"content":"x","extra":' + b"[" * DEEP + b"]" * DEEP + b"}",
                        b'{"type":1,"type":1,"content":"first","content":"second"}', b'\xef\xbb\xbf{"type":4}'):
            raw.send(frame(payload))
            answer = raw.read_json()
            if "total_counts" not in answer:
                taken += assert_code(self, (50002, 50003, 50020), answer, repr(payload[:60]))["code"] != 50020
        raw.send(request({"type": 2}))
        answer = raw.read_json()
        rows = [row["content"] for row in answer["content"]] if answer["code"] == 50000 else []
        self.assertEqual(taken, len(rows), f"as many rows as acks: {rows}")
        for text in rows:
            text.encode()  # A lone surrogate would raise here.
        self.others_are_served("doubtful requests")

    def test_requests_of_a_session_socket(self):
        with self.server.session(self.tokens["ann"]) as session:
            nowhere = "00000000-0000-4000-8000-000000000000"
            for code, fields in [(50020, {}), (50020, {"to": 5}),
                                 (50020, {"room": 5}), (50022, {"to": "nobody"}), ((50020, 50022), {"to": ""}),
                                 ((50020, 50022), {"to": "x" * 65}), ((50020, 50022), {"to": "a->b"}),
                                 ((50021, 50022), {"room": nowhere}), ((50020, 50022), {"room": "no uuid"}),
                                 (50021, {"room": self.foreign_room})]:
                for kind in (1, 2, 3, 5):
                    with self.subTest(type=kind, fields=fields):
                        asked = {"type": kind, "ref": "r"} | fields | ({"content": "x"} if kind == 1 else {})
                        answer = assert_code(self, code, session.ask(asked), f"{asked}")
                        self.assertEqual(("r", "Server"), (answer.get("ref"), answer["from"]), answer)
            assert_code(self, (50002, 50003), session.ask({"type": 1, "room": self.own_room, "content": "fine"}))
        self.others_are_served("a session's bad requests")

    def test_frames_of_a_room_socket(self):
        with self.server.room_socket("ann", self.tokens["ann"]) as rooms, \
                self.server.session(self.tokens["bob"]) as bob:
            for code, sent in [(50020, {}), (50020, {"Msg": "no room"}), (50020, {"Msg": 5, "RoomId": self.own_room}),
                               (50020, {"Msg": "x", "RoomId": 5}), ((50020, 50022), {"Msg": "x", "RoomId": "no uuid"}),
                               (50021, {"Msg": "x", "RoomId": self.foreign_room}), (50020, []), (50020, "{")]:
                with self.subTest(sent=sent):
                    assert_code(self, code, rooms.ask(sent if sent == "{" else json.dumps(sent)), str(sent))
            rooms.send({"msg": "in", "ROOMID": self.own_room})
            self.assertEqual("in", rooms.delivery()["context"])
            self.assertNotIn(self.foreign_room, [row["room"] for row in bob.ask({"type": 4})["room_counts"]])
            self.assertEqual([], bob.delivered)
        self.others_are_served("a room socket's bad frames")

    # Frames

    def test_violations_of_the_websocket_protocol(self):
        """Each closes its connection with the RFC's code."""
        text = b'{"type":4}'
        split = "界".encode()
        cases = {
            "unmasked": (1002, frame(text, masked=False)),
            "reserved bit 1": (1002, frame(text, reserved=4)), "reserved bit 2": (1002, frame(text, reserved=2)),
            "reserved bit 3": (1002, frame(text, reserved=1)),
            "opcode 3": (1002, frame(text, 0x3)), "opcode 7": (1002, frame(text, 0x7)),
            "opcode 11": (1002, frame(b"", 0xB)), "opcode 15": (1002, frame(b"", 0xF)),
            "a fragmented ping": (1002, frame(b"x", PING, fin=False)),
            "a fragmented close": (1002, frame(b"", CLOSE, fin=False)),
            "a ping of 126 bytes": (1002, frame(b"x" * 126, PING)),
            "a continuation of nothing": (1002, frame(text, CONTINUATION)),
            "a new text within a message": (1002, frame(b'{"ty', fin=False) + frame(text)),
            "a new binary within a message": (1002, frame(b'{"ty', fin=False) + frame(text, BINARY)),
            "a close of one byte": (1002, frame(b"\x03", CLOSE)),
            "close code 999": (1002, frame((999).to_bytes(2, "big"), CLOSE)),
            "close code 1005": (1002, frame((1005).to_bytes(2, "big"), CLOSE)),
            "close code 1006": (1002, frame((1006).to_bytes(2, "big"), CLOSE)),
            "close code 5000": (1002, frame((5000).to_bytes(2, "big"), CLOSE)),
            "a close reason that is no UTF-8": (1007, frame(b"\x03\xe8\xff\xfe", CLOSE)),
            "no UTF-8": (1007, frame(b'{"type":1,"content":"\xff"}')),
            "overlong UTF-8": (1007, frame(b'{"type":1,"content":"\xc0\xaf"}')),
            "a surrogate in UTF-8": (1007, frame(b'{"type":1,"content":"\xed\xa0\x80"}')),
            "past U+10FFFF": (1007, frame(b'{"type":1,"content":"\xf4\x90\x80\x80"}')),
            "UTF-8 cut off at the end": (1007, frame(b'{"type":1,"content":"' + split[:2])),
            "UTF-8 broken across fragments": (1007, frame(b'"' + split[:1], fin=False) + frame(b"a\"", CONTINUATION)),
            "a frame over the limit": (1009, frame(b"", length=458_753)),
            "a frame of 2 GiB": (1009, frame(b"", length=1 << 31)),
            "a length past 2^63": ((1002, 1009), frame(b"", length=(1 << 63) + 5)),
        }
        for name, (code, data) in cases.items():
            with self.subTest(case=name):
                raw = self.pair()
                raw.send(data)
                actual = raw.close_code()
                self.assertIn(actual, code if isinstance(code, tuple) else (code,), name)
                raw.close()
                self.others_are_served(name)

    def test_what_the_websocket_protocol_allows(self):
        raw = self.pair()
        # A message in fragments, cut within a character, with a ping in the middle: pong first, then the answer.
        whole = json.dumps({"type": 4, "ref": "世界"}, ensure_ascii=False).encode()
        cut = whole.index("世".encode()) + 1
        raw.send(frame(whole[:cut], fin=False) + frame(b"are you there", PING) + frame(b"", CONTINUATION, fin=False)
                 + frame(whole[cut:], CONTINUATION))
        self.assertEqual((PONG, True, b"are you there"), raw.read_frame())
        self.assertEqual("世界", raw.read_json()["ref"])
        raw.send(frame(b"x" * 125, PING) + frame(b"unasked", PONG) + frame(b'{"type":4,"ref":1}', BINARY))
        self.assertEqual((PONG, True, b"x" * 125), raw.read_frame())
        self.assertEqual(1, raw.read_json()["ref"])
        raw.send(frame((1000).to_bytes(2, "big") + "再见".encode(), CLOSE))
        # A seed's socket may be told 连接断开 before the close frame that answers.
        opcode, _, payload = raw.read_frame()
        if opcode == TEXT:
            self.assertEqual(50001, json.loads(payload)["code"])
            opcode, _, payload = raw.read_frame()
        self.assertEqual((CLOSE, b"\x03\xe8"), (opcode, payload[:2]))
        raw.wait_for_end()
        for name, end in [("vanishes within a frame", frame(whole)[:7]), ("vanishes within a message",
                                                                         frame(whole[:5], fin=False))]:
            raw = self.pair()
            raw.send(end)
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raw.close()
            self.others_are_served(f"a client that {name}")

    # Handshakes

    def test_upgrades_that_are_none(self):
        path = "/ws?send_id=ann&receive_id=bob"
        cases = [("version 8", {"Sec-WebSocket-Version": "8"}, 426),
                 ("version 14", {"Sec-WebSocket-Version": "14"}, 426),
                 ("a version that is no number", {"Sec-WebSocket-Version": "x"}, (400, 426)),
                 ("no version", {"Sec-WebSocket-Version": None}, (400, 426)),
                 ("no key", {"Sec-WebSocket-Key": None}, 400), ("a short key", {"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
                 ("a key that is no base64", {"Sec-WebSocket-Key": "!" * 24}, 400),
                 ("an empty key", {"Sec-WebSocket-Key": ""}, 400),
                 ("no Upgrade", {"Upgrade": None}, (400, 426)), ("another Upgrade", {"Upgrade": "h2c"}, (400, 426)),
                 ("no Connection", {"Connection": None}, (400, 426)),
                 ("another Connection", {"Connection": "keep-alive"}, (400, 426))]
        for name, changes, statuses in cases:
            with self.subTest(case=name), RawSocket(self.server.port) as raw:
                headers = {k: v for k, v in (raw.headers(self.tokens["ann"]) | changes).items() if v is not None}
                status, answer, body = raw.ask_upgrade(path, headers)
                self.assertIn(status, statuses if isinstance(statuses, tuple) else (statuses,), f"{name}: {body!r}")
                if status == 426:
                    self.assertEqual("13", answer.get("sec-websocket-version"), answer)
                self.others_are_served(name)
        for name, line in [("POST", ("POST", "HTTP/1.1")), ("HTTP/1.0", ("GET", "HTTP/1.0"))]:
            with self.subTest(case=name), RawSocket(self.server.port) as raw:
                status, _, body = raw.ask_upgrade(path, raw.headers(self.tokens["ann"]), *line)
                self.assertIn(status, (400, 404, 405, 426, 505), f"{name}: {body!r}")
        for status, path in [(404, "/nowhere"), (403, "/ws?send_id=bob&receive_id=ann"), (403, "/ws/bob"),
                             (404, "/ws?send_id=ann&receive_id=nobody"), (400, "/ws?send_id=ann"),
                             ((400, 404), "/ws?send_id=ann&receive_id="),
                             ((400, 404), "/ws?send_id=ann&receive_id=%ff")]:
            with self.subTest(path=path), RawSocket(self.server.port) as raw:
                actual, _, body = raw.ask_upgrade(path, raw.headers(self.tokens["ann"]))
                self.assertIn(actual, status if isinstance(status, tuple) else (status,), f"{path}: {body!r}")
                self.assertIsInstance(json.loads(body), dict)
        self.others_are_served("upgrades that are none")

    def test_handshakes_that_never_end(self):
        """A second is what the configuration gives them; then they are cut, and nobody waited for them."""
        silent, half = RawSocket(self.server.port), RawSocket(self.server.port)
        half.send(b"GET /ws?send_id=ann&receive_id=bob HTTP/1.1\r\nHost: x\r\nConn")
        one_way = RawSocket(self.server.port)
        one_way.send(b"GET /ping HTTP/1.1\r\nHo")
        one_way.socket.shutdown(socket.SHUT_WR)
        dripping = RawSocket(self.server.port)
        drops = iter(b"GET /ping HTTP/1.1\r\nX-Long: " + b"x" * 10_000)
        dripping.socket.settimeout(0.1)
        for raw in (silent, half, one_way, dripping):
            self.addCleanup(raw.close)
        self.others_are_served("handshakes under way")

        def drip() -> bool:
            try:
                dripping.send(bytes([next(drops)]))
                return not dripping.socket.recv(1_000)
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        wait_for(drip, "the dripped handshake to be cut")
        for raw in (silent, half, one_way):
            said = raw.wait_for_end()
            self.assertTrue(not said or said.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400")), said[:200])
        self.others_are_served("handshakes that never end")

    def test_bytes_that_are_no_http(self):
        login = b"POST /account/login HTTP/1.1\r\nHost: x\r\n"
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), b"\0" * 1_000, b"\r\n" * 4,
                     b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n\r\n",
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\xff" * 100_000,
                     b"GET /ws HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", frame(b'{"type":4}'),
                     login + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                     login + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"):
            with self.subTest(data=data[:40]), RawSocket(self.server.port) as raw:
                try:
                    raw.send(data)
                    raw.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # It has hung up already, which is one right answer.
                said = raw.wait_for_end()
                self.assertTrue(not said or said.startswith(b"HTTP/1.1 4") or said.startswith(b"HTTP/1.1 505"),
                                f"{data[:60]!r} got {said[:200]!r}")
                self.others_are_served(repr(data[:40]))


if __name__ == "__main__":
    unittest.main()
