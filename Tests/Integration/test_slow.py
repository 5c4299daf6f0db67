"""A client that stops reading: it costs the others nothing, is not dropped, and gets everything when it reads again."""

import json
import unittest

from harness import Server
from rawsocket import RawSocket, request

MESSAGES = 12_000
WINDOW = 64
# 12 MB in all: many times what the kernel's buffers and the server's outbound limit hold.
PADDING = "慢" * 330


class SlowReader(unittest.TestCase):
    def test_a_reader_that_stops_gets_everything_in_order_later(self):
        server = Server(mode="open", config={"limits": {"send_buffer_bytes": 65_536, "outbound_bytes": 65_536}}).start()
        self.addCleanup(server.remove)
        room = server.room(server.account("ann"), "slow 🐌", ["bob", "eve"])
        sockets = {name: RawSocket(server.port).upgrade(f"/ws?account={name}") for name in ("ann", "bob", "eve")}
        for socket in sockets.values():
            self.addCleanup(socket.close)
            self.assertEqual(50000, socket.read_json()["code"])
        ann, bob, eve = sockets["ann"], sockets["bob"], sockets["eve"]

        # bob reads nothing from here on; eve reads along, and ann waits for her acks.
        offsets = []
        for start in range(0, MESSAGES, WINDOW):
            numbers = range(start, min(start + WINDOW, MESSAGES))
            ann.send(b"".join(request({"type": 1, "room": room, "content": f"{n} {PADDING}"}) for n in numbers))
            for n in numbers:
                ack = ann.read_json()
                self.assertEqual(50002, ack["code"], ack)
                offsets.append(ack["offset"])
                self.check(eve.read_json(), n, ack["offset"])
        self.assertEqual(sorted(set(offsets)), offsets)

        # In the middle of it all he asks for his counts: the reply has its place behind what is due to him.
        bob.send(request({"type": 4, "ref": "counts"}))
        for n, offset in enumerate(offsets):
            self.check(bob.read_json(), n, offset)
        counts = bob.read_json()
        self.assertEqual("counts", counts["ref"])
        self.assertEqual([{"room": room, "unread_count": MESSAGES}], counts["room_counts"])

        # And live from there.
        ann.send(request({"type": 1, "room": room, "content": "last"}))
        self.assertEqual("last", bob.read_json()["content"])
        self.assertEqual(0, server.stop())

    def check(self, frame: dict, number: int, offset: int) -> None:
        got = (frame.get("event"), frame.get("offset"), frame.get("content", "").split(" ")[0])
        self.assertEqual(("message", offset, str(number)), got, json.dumps(frame)[:200])


if __name__ == "__main__":
    unittest.main()
