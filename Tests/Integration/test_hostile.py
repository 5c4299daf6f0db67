"""Clients that go away in the worst moment: the server lives on, and nobody stays behind as a ghost."""

import contextlib
import socket
import struct
import unittest

from harness import Server, wait_for
from rawsocket import PING, RawSocket, frame
from sockets import Socket

# Enough that the answers fill the kernel's buffers in both directions.
PINGS = frame(b"", PING) * 20_000
ATTACKS = 8
GHOSTS = 300


class GoneInTheMiddle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(mode="open").start()
        cls.addClassCleanup(cls.server.remove)

    def reset(self, connection: socket.socket) -> None:
        """Ends a connection with a reset instead of an end of stream."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def online(self, asking: Socket, peer: str) -> list[str]:
        return asking.ask({"type": 8, "to": peer})["content"]

    def test_a_reset_while_pings_are_answered(self):
        """Writing the answer fails in the middle of reading what else has come."""
        for attack in range(ATTACKS):
            raw = RawSocket(self.server.port).upgrade(f"/ws?account=pinging{attack}")
            raw.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                for _ in range(20):
                    raw.socket.send(PINGS)
            self.reset(raw.socket)
        with Socket(self.server.url("/ws", account="witness")) as witness:
            for attack in range(ATTACKS):
                name = f"pinging{attack}"
                wait_for(lambda: self.online(witness, name) == ["witness"], f"{name} to be gone")

    def test_who_leaves_before_the_greeting_was_never_there(self):
        """The socket is reset as soon as the upgrade is asked for."""
        for ghost in range(GHOSTS):
            raw = RawSocket(self.server.port)
            head = [f"GET /ws?account=ghost{ghost} HTTP/1.1", *(f"{k}: {v}" for k, v in raw.headers().items()), "", ""]
            raw.send("\r\n".join(head).encode())
            self.reset(raw.socket)
        with Socket(self.server.url("/ws", account="witness")) as witness:
            for ghost in range(GHOSTS):
                name = f"ghost{ghost}"
                # One whose request was never read isn't even a name.
                wait_for(lambda: self.gone(witness, name), f"{name} to be gone")

    def gone(self, witness: Socket, name: str) -> bool:
        reply = witness.ask({"type": 8, "to": name})
        return reply["code"] == 50022 or reply["content"] == ["witness"]


if __name__ == "__main__":
    unittest.main()
