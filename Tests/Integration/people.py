"""Sockets of named people on a server in mode `open`, for the tests of live conversation and of resuming."""

import unittest

from harness import Server, quote
from sockets import Socket, assert_code

TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


class PeopleTest(unittest.TestCase):
    """`self.server` is the server; every socket is closed at the end of its test."""

    server: Server

    def open(self, path: str, is_greeted: bool = True, **query: object) -> Socket:
        socket = Socket(self.server.url(path, **{name: str(value) for name, value in query.items()}))
        self.addCleanup(socket.close)
        return socket.greeted() if is_greeted else socket

    def session(self, me: str, **query: object) -> Socket:
        return self.open("/ws", account=me, **query)

    def pair(self, me: str, peer: str, **query: object) -> Socket:
        return self.open("/ws", send_id=me, receive_id=peer, **query)

    def rooms(self, me: str, **query: object) -> Socket:
        return self.open("/ws/" + quote(me), is_greeted=False, **query)

    def make_room(self, creator: str, *members: str) -> str:
        reply = self.server.request("POST", f"/rooms?account={quote(creator)}", {"name": "r", "members": members})
        self.assertEqual(201, reply.status, str(reply))
        return reply.json["data"]["id"]

    def add(self, room: str, member: str, by: str) -> None:
        self.change(f"PUT /rooms/{room}/members/{quote(member)}?account={quote(by)}")

    def remove(self, room: str, member: str, by: str | None = None) -> None:
        self.change(f"DELETE /rooms/{room}/members/{quote(member)}?account={quote(by or member)}")

    def change(self, request: str) -> None:
        reply = self.server.request(*request.split(" "))
        self.assertEqual(204, reply.status, f"{request}: {reply}")

    @property
    def head(self) -> int:
        return self.server.request("GET", "/health/ready").json["head"]

    def say(self, socket: Socket, content: str, **place: str) -> int:
        """Sends a message and returns its offset."""
        return assert_code(self, (50002, 50003), socket.ask({"type": 1, "content": content} | place))["offset"]

    def expect(self, fields: dict, *sockets: Socket) -> list[dict]:
        """The next frame of each socket has these fields; the frames."""
        found = []
        for number, socket in enumerate(sockets):
            received = socket.delivery()
            actual = {name: received.get(name) for name in fields}
            self.assertEqual(fields, actual, f"socket {number} of {len(sockets)}: {received}")
            self.assertIs(type(fields.get("content")), type(actual.get("content")), str(received))
            found.append(received)
        return found

    def expect_message(self, content: str, *sockets: Socket) -> None:
        """The next frame of each is this message, and so nothing came before it."""
        for number, socket in enumerate(sockets):
            received = socket.delivery()
            self.assertEqual(content, received.get("context", received.get("content")), f"socket {number}: {received}")
