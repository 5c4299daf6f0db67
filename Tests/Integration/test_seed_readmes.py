"""What the clients of the two seeds do, step by step: they see the seeds' shapes, fields beside them, and no others.

Seed B is the pair socket `/ws?send_id=&receive_id=`, without accounts. Seed A is register, login, profile and the
room socket. Each session is also compared with its recording.
"""

import json
import unittest

from harness import Reply, Server
from recording import Recording
from sockets import Socket, assert_seed, refused

ONLINE = "消息发送成功,对方在线"
OFFLINE = "消息发送成功,对方离线"
END = {"from": "Server", "code": 50001, "content": "没有更多消息了"}
GREETING = {"from": "Server", "code": 50000, "content": "连接成功"}
ROW = ["ID", "CreatedAt", "UpdatedAt", "DeletedAt", "send_id", "receive_id", "content", "is_read"]
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


class Client:
    """A seed's client: every frame goes into the recording."""

    def __init__(self, recording: Recording, who: str, socket: Socket):
        self.recording, self.who, self.socket = recording, who, socket

    def send(self, text: str) -> None:
        self.recording.sent(self.who, text)
        self.socket.send(text)

    def receive(self) -> dict:
        text = self.socket.receive_text()
        self.recording.got(self.who, text)
        return json.loads(text)

    def ask(self, text: str) -> dict:
        self.send(text)
        return self.receive()


class SeedReadmes(unittest.TestCase):
    def start(self, mode: str, **limits: int) -> Server:
        server = Server({"limits": limits}, mode=mode)
        self.addCleanup(server.remove)
        return server.start()

    def open(self, server: Server, recording: Recording, who: str, path: str) -> Client:
        recording.sent(who, f"GET {path}")
        socket = Socket(f"ws://127.0.0.1:{server.port}{path}")
        self.addCleanup(socket.close)
        return Client(recording, who, socket)

    def check_rows(self, answer: dict, peer: str, rows: list[tuple]) -> None:
        self.assertEqual((peer, 50000), (answer["from"], answer["code"]), answer)
        self.assertEqual(rows, [(row["send_id"], row["receive_id"], row["content"], bool(row["is_read"]))
                                for row in answer["content"]])
        for row in answer["content"]:
            self.assertEqual(ROW, [name for name in row if name in ROW], f"the order of the fields of {row}")
            self.assertIsInstance(row["ID"], int)
            self.assertRegex(row["CreatedAt"], TIME)
            self.assertRegex(row["UpdatedAt"], TIME)
            self.assertIsNone(row["DeletedAt"])

    def seed_b(self, server: Server, recording: Recording, tails: dict[str, str]) -> None:
        """The seed's own session, with `tails` put behind each user's URL."""
        def join(me: str, peer: str) -> Client:
            client = self.open(server, recording, me, f"/ws?send_id={me}&receive_id={peer}{tails.get(me, '')}")
            greeting = client.receive()
            assert_seed(self, GREETING, greeting)
            self.assertTrue({"log", "offset", "limits"} <= greeting.keys(), greeting)
            return client

        recording.step("user 1 opens the conversation with user 2, who is not there")
        one = join("1", "2")
        recording.step("type 1: a message to somebody offline")
        assert_seed(self, {"from": "2->1", "code": 50003, "content": OFFLINE},
                    one.ask('{"type":1,"content":"message"}'))
        assert_seed(self, {"from": "2->1", "code": 50003, "content": OFFLINE},
                    one.ask('{"type":1,"content":"第二条 👋 \\"quoted\\""}'))
        recording.step("user 2 comes; type 4: the counts")
        two = join("2", "1")
        counts = two.ask('{"type":4}')
        assert_seed(self, {"total_counts": 2, "unread_counts": [{"send_id": "1", "unread_count": 2}]}, counts)
        self.assertFalse({"from", "code", "content"} & counts.keys(), f"the counts have no envelope: {counts}")
        recording.step("type 3: the unread messages, oldest first; then there are none")
        rows = [("1", "2", "message", False), ("1", "2", '第二条 👋 "quoted"', False)]
        self.check_rows(two.ask('{"type":3}'), "1", rows)
        assert_seed(self, END, two.ask('{"type":3}'))
        assert_seed(self, {"total_counts": 0, "unread_counts": []}, two.ask('{"type":4}'))
        recording.step("type 1: a message to somebody online")
        assert_seed(self, {"from": "1->2", "code": 50002, "content": ONLINE}, two.ask('{"type":1,"content":"你好"}'))
        delivered = one.receive()
        assert_seed(self, {"from": "1->2", "code": 50000, "content": "你好"}, delivered)
        recording.step("type 2: the history, newest first")
        read = [(*row[:3], True) for row in rows]
        self.check_rows(one.ask('{"type":2}'), "2", [("2", "1", "你好", True), *reversed(read)])
        self.check_rows(two.ask('{"type":2}'), "1", [("2", "1", "你好", True), *reversed(read)])
        recording.step("a conversation in which nothing was said")
        assert_seed(self, END, join("1", "3").ask('{"type":2}'))
        recording.step("what Go's decoder lets pass: keys in any case, a binary frame, no content")
        assert_seed(self, {"from": "3->2", "code": 50003, "content": OFFLINE},
                    join("2", "3").ask('{"Type":1,"CONTENT":"loud","extra":[1,{"a":null}]}'))
        recording.sent("2", "(binary) {\"type\":1}")
        two.socket.send(b'{"type":1}')
        assert_seed(self, {"from": "1->2", "code": 50002, "content": ONLINE}, two.receive())
        assert_seed(self, {"from": "1->2", "code": 50000, "content": ""}, one.receive())

    def test_seed_b_in_open_mode(self):
        """No account, no token: any name will do, as in the seed."""
        recording = Recording("seed_b")
        self.seed_b(self.start("open"), recording, {})
        recording.check(self)

    def test_seed_b_in_required_mode(self):
        """The same frames, with the token in the URL and the peers registered; anything less is refused."""
        server = self.start("required")
        tokens = {name: server.account(name) for name in "123"}
        self.seed_b(server, Recording("unused"), {name: f"&token={token}" for name, token in tokens.items()})
        for status, me, peer, token in [(401, "1", "2", None), (401, "1", "2", "x.y.z"), (403, "2", "1", tokens["1"]),
                                        (404, "1", "nobody", tokens["1"])]:
            with self.subTest(status=status, me=me, peer=peer):
                actual, headers, body = refused(server.url("/ws", send_id=me, receive_id=peer), token)
                self.assertEqual(status, actual, body)
                self.assertIsInstance(json.loads(body), dict)

    def test_seed_b_bans_whoever_talks_without_an_answer(self):
        """With the seed's own limit of three the fourth message in a row is not sent, until the peer answers."""
        server = self.start("open", unanswered=3)
        recording = Recording("unused")
        one = self.open(server, recording, "1", "/ws?send_id=1&receive_id=2")
        two = self.open(server, recording, "2", "/ws?send_id=2&receive_id=1")
        for client in (one, two):
            assert_seed(self, GREETING, client.receive())
        banned = {"from": "Server", "code": 50004, "content": "发送信息过多对方已禁止你发送消息"}
        for expected in (50002, 50002, 50002, 50004, 50004):
            reply = one.ask('{"type":1,"content":"hello?"}')
            self.assertEqual(expected, reply["code"], reply)
        assert_seed(self, banned, reply)
        self.assertEqual([50000] * 3, [two.receive()["code"] for _ in range(3)])
        self.assertEqual(50002, two.ask('{"type":1,"content":"yes?"}')["code"])
        self.assertEqual("yes?", one.receive()["content"])
        self.assertEqual(50002, one.ask('{"type":1,"content":"at last"}')["code"])
        self.assertEqual("at last", two.receive()["content"])
        self.assertEqual(5, len(one.ask('{"type":2}')["content"]))

    def post(self, server: Server, recording: Recording, path: str, body: dict | None, token: str | None = None,
             method: str = "POST") -> Reply:
        recording.sent("http", f"{method} {path}" + (f" {json.dumps(body, ensure_ascii=False)}" if body else ""))
        reply = server.request(method, path, body, token)
        recording.replied("http", reply.status, reply.body)
        return reply

    def seed_a(self, server: Server, recording: Recording, mode: str) -> None:
        def expect(status: int, fields: dict, reply: Reply) -> None:
            self.assertEqual(status, reply.status, str(reply))
            assert_seed(self, fields, reply.json)

        recording.step("is it there?")
        expect(200, {"message": "pong"}, self.post(server, recording, "/ping", None, method="GET"))
        recording.step("register; the same account again")
        accounts = {name: {"account": name, "password": f"pässword-{name}", "email": f"{name}@example.org",
                           "username": f"{name} 林"} for name in ("amy", "ben")}
        for body in accounts.values():
            expect(202, {"data": True, "code": 200, "msg": "註冊成功"},
                   self.post(server, recording, "/account/register", body))
        again = self.post(server, recording, "/account/register", accounts["amy"])
        expect(400, {"data": False, "code": 400}, again)
        self.assertIsInstance(again.json["msg"], str)
        recording.step("log in: a wrong password, an unknown account, and right")
        login = {"account": "amy", "password": "wrong"}
        expect(401, {"data": False, "code": 400, "msg": "Unauthorized"},
               self.post(server, recording, "/account/login", login))
        expect(400, {"data": False, "code": 400, "msg": "查無帳號"},
               self.post(server, recording, "/account/login", login | {"account": "zoe"}))
        tokens = {}
        for name, body in accounts.items():
            reply = self.post(server, recording, "/account/login",
                              {"account": name, "password": body["password"], "email": ""})
            self.assertEqual((200, ["token"]), (reply.status, list(reply.json)), str(reply))
            tokens[name] = reply.json["token"]
        recording.step("the profile, with the token and with a spoilt one")
        expect(200, {"code": 200, "data": {"account": "amy", "username": "amy 林"}, "msg": "登入成功"},
               self.post(server, recording, "/account/member/profile", None, tokens["amy"]))
        spoilt = self.post(server, recording, "/account/member/profile", None, tokens["amy"] + "x")
        self.assertEqual((401, str), (spoilt.status, type(spoilt.json["error"])), str(spoilt))
        recording.step("a room, and the room sockets of both")
        reply = self.post(server, recording, "/rooms", {"name": "大廳", "members": ["ben"]}, tokens["amy"])
        self.assertEqual(201, reply.status, str(reply))
        room = reply.json["data"]["id"]
        tails = {name: f"?token={token}" if mode == "required" else "" for name, token in tokens.items()}
        amy = self.open(server, recording, "amy", "/ws/amy" + tails["amy"])
        ben = self.open(server, recording, "ben", "/ws/ben" + tails["ben"])
        recording.step("a message goes to every member, the sender too")
        for sender, text in ((amy, "hi"), (ben, "嗨 🙌"), (amy, "")):
            sender.send(json.dumps({"Msg": text, "RoomId": room}, ensure_ascii=False))
            for client in (amy, ben):
                frame = client.receive()
                assert_seed(self, {"Sender": sender.who, "context": text, "roomId": room}, frame)
                self.assertNotIn("code", frame, "an echo has no envelope")
        recording.step("a room that the sender is not in")
        other = self.post(server, recording, "/rooms", {"name": "只有 ben", "members": []}, tokens["ben"])
        refusal = amy.ask(json.dumps({"Msg": "psst", "RoomId": other.json["data"]["id"]}))
        self.assertEqual(50021, refusal["code"], refusal)
        amy.send(json.dumps({"Msg": "still here", "RoomId": room}))
        self.assertEqual(["still here"] * 2, [client.receive()["context"] for client in (ben, amy)])

    def test_seed_a_in_open_mode(self):
        """As the seed was: the room socket asks for no token."""
        recording = Recording("seed_a")
        self.seed_a(self.start("open"), recording, "open")
        recording.check(self)

    def test_seed_a_in_required_mode(self):
        """The same frames with tokens; a socket of somebody else's name is refused."""
        server = self.start("required")
        self.seed_a(server, Recording("unused"), "required")
        token = server.login("amy", "pässword-amy").json["token"]
        self.assertEqual(401, refused(server.url("/ws/amy"))[0])
        self.assertEqual(403, refused(server.url("/ws/ben"), token)[0])

    def test_a_seed_socket_sees_no_other_frames(self):
        """Reads, session sockets and room changes push nothing to a seed's sockets; shutdown says so in its way."""
        server = self.start("required")
        tokens = {name: server.account(name) for name in ("amy", "ben")}
        room = server.room(tokens["amy"], "r", ["ben"])
        pair = server.conversation("amy", "ben", tokens["amy"])
        rooms = server.room_socket("amy", tokens["amy"])
        with server.session(tokens["ben"]) as session:
            ack = session.ask({"type": 1, "to": "amy", "content": "one"})
            session.ask({"type": 5, "to": "amy"})
            session.ask({"type": 2, "to": "amy"})
            second = server.room(tokens["ben"], "s", ["amy"])
            session.ask({"type": 1, "room": room, "content": "two"})
            session.ask({"type": 1, "room": second, "content": "three"})
            session.ask({"type": 1, "to": "amy", "content": "four"})
            # Each socket sees its own, and nothing before, between or after.
            self.assertEqual(["one", "four"], [pair.receive()["content"] for _ in range(2)])
            self.assertEqual(["two", "three"], [rooms.receive()["context"] for _ in range(2)])
            self.assertEqual(50002, ack["code"])
        self.assertEqual(0, server.stop())
        assert_seed(self, {"from": "Server", "code": 50001, "content": "连接断开"}, pair.receive())
        self.assertEqual(1001, pair.close_code())
        self.assertEqual(1001, rooms.close_code())
        for socket in (pair, rooms):
            socket.close()


if __name__ == "__main__":
    unittest.main()
