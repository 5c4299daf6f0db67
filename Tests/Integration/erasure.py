"""What the tests of erasure share: texts that are nowhere else, and the search for them in every byte of every file."""

import json
import secrets

from commands import CommandTest
from harness import PASSWORD, Server
from sockets import Socket, assert_code

LONG = 20_000


class ErasureTest(CommandTest):
    def secret(self, what: str, length: int = 0) -> str:
        """A text that is nowhere else, in pieces that are found each by itself."""
        mark = f"«{what} 秘密 {secrets.token_hex(12)}»"
        self.marks[what] = mark
        return (mark + " ") * max(1, length // len(mark))

    def setUp(self):
        self.marks: dict[str, str] = {}

    def found(self, server: Server) -> set[str]:
        """The texts that are somewhere in the data folder."""
        files = [path for path in server.data.rglob("*") if path.is_file()]
        self.assertTrue(any(path.name == "data.mdb" for path in files))
        there = set()
        for path in files:
            content = path.read_bytes()
            there |= {what for what, mark in self.marks.items() if mark.encode() in content}
        return there

    def say(self, socket: Socket, content: str, **place) -> int:
        return assert_code(self, (50002, 50003), socket.ask({"type": 1, "content": content} | place))["offset"]

    def register(self, server: Server, name: str) -> str:
        body = {"account": name, "password": PASSWORD, "email": self.secret(f"e-mail of {name}"),
                "username": self.secret(f"username of {name}")}
        self.assertEqual(202, server.request("POST", "/account/register", body).status)
        return server.login(name).json["token"]

    def erase(self, server: Server, *arguments, code: int = 0) -> str:
        return self.run_command(code, *arguments, "--data", server.data)

    def report(self, server: Server, *arguments) -> dict:
        return json.loads(self.erase(server, *arguments, "--json"))

    def verify(self, server: Server) -> None:
        self.assertIn("identical", self.run_command(0, "replay", "--verify", "--data", server.data))

    def listed(self, server: Server, *options) -> list[dict]:
        printed = self.run_command(0, "audit", "list", "--format", "json", "--data", server.data, *options)
        return [json.loads(line) for line in printed.split("\n") if line]
