"""How sockets end: told where to go on when the server stops, cut when nobody is there, and not for being slow."""

import itertools
import select
import socket as sockets_of_the_system
import threading
import unittest

from harness import Server, wait_for
from model import CONVERSATION, ROOM, SESSION, Listener, frames, read_log
from rawsocket import CLOSE, PING, TEXT, RawSocket, frame, request
from soakclient import Client
from streams import Checker
from texts import texts

DRAIN_SECONDS = 2
SENDS = 150
SECONDS = 20
USERS = ("ann", "bob", "eve", "dan")


class Drain(unittest.TestCase):
    def setUp(self):
        settings = {"server": {"drain_seconds": DRAIN_SECONDS}, "limits": {"close_seconds": 5}}
        self.server = Server(settings, mode="open").start()
        self.addCleanup(self.server.remove)
        self.words = texts(7)
        reply = self.server.request("POST", "/rooms?account=ann", {"name": "r", "members": USERS[1:]})
        self.room = reply.json["data"]["id"]
        refs = itertools.count(1)
        self.clients = [Client(listener, refs) for user in USERS for peer in USERS if peer != user for listener in
                        (Listener(SESSION, user), Listener(CONVERSATION, user, peer), Listener(ROOM, user))]
        for client in self.clients:
            client.connect(self.server.port)
            self.addCleanup(lambda client=client: client.socket and client.ended())

    def send(self, client: Client, number: int) -> None:
        """One of a mixture that goes into the log, with queries between."""
        me = client.listener
        place = {"room": self.room} if me.kind == ROOM or number % 2 else {"to": USERS[USERS.index(me.me) - 1]}
        if number % 10 == 9:
            client.send({"type": (2, 4, 5)[number // 10 % 3], "limit": 5} | place)
        else:
            client.send({"type": 1, "content": f"{next(self.words)}"} | place)

    def take(self, until) -> None:
        """Takes in what arrives until the condition holds."""
        while not until():
            reading = {client.socket.socket: client for client in self.clients if client.socket}
            ready = select.select(list(reading), [], [], SECONDS)[0]
            self.assertTrue(ready, f"nothing came for {SECONDS} s")
            for one in ready:
                reading[one].take()

    def stop(self) -> None:
        """SIGTERM, and everything that the server still says."""
        stopping = threading.Thread(target=self.server.stop)
        stopping.start()
        self.take(lambda: not any(client.socket for client in self.clients))
        stopping.join()
        self.assertEqual(0, self.server.process.returncode, self.server.printed)

    def test_everybody_is_told_where_to_go_on(self):
        """SIGTERM in the middle of it: acks first, then 50001 with a position from which nothing is missed."""
        for number in range(SENDS):
            for client in self.clients[::3]:
                self.send(client, number)
        for client in self.clients[1:3]:
            for number in range(SENDS):
                self.send(client, number)
        self.take(lambda: sum(sent.reply is not None for client in self.clients for sent in client.sent) > SENDS)
        self.stop()
        stored = {event["offset"] for event in read_log(self.server.data) if event["type"] == "MessageSent"}
        acked = {sent.reply["offset"] for client in self.clients for sent in client.sent
                 if sent.reply and sent.reply.get("reply") == 1 and "offset" in sent.reply}
        self.assertEqual(stored, acked, "what was stored was acknowledged, and the other way round")
        pauses = [self.check_end(client) for client in self.clients]
        pauses = [pause for pause in pauses if pause is not None]
        self.assertGreater(max(pauses), min(pauses), "not all come back at once")

        self.server.start()
        for client in self.clients:
            client.connect(self.server.port)
        for number in range(20):
            for client in self.clients[::9]:
                self.send(client, number)
        self.take(lambda: all(client.stream.is_synced and all(sent.reply for sent in client.sent
                                                             if sent.stream is client.stream)
                              for client in self.clients))
        self.stop()
        events = read_log(self.server.data)
        for client in self.clients:
            due = frames(events, client.listener)
            for stream in client.streams:
                is_told = client.listener.kind != ROOM
                Checker(self, events, stream, due).check(stream.position if is_told else None)

    def check_end(self, client: Client) -> int | None:
        """The last frame and the close code; what it says of when to come back."""
        self.assertEqual(1001, client.stream.closed, client.listener)
        ends = [frame for frame in client.stream.received if frame.get("code") == 50001 and "retry_after_ms" in frame]
        if client.listener.kind == ROOM:
            self.assertEqual([], ends, "a room socket's clients know the close only")
            return None
        self.assertEqual([client.stream.received[-1]], ends)
        end = ends[0]
        expected = {"from": "Server", "code": 50001, "content": "连接断开", "log": client.log, "offset": client.position}
        self.assertEqual(expected, {name: end.get(name) for name in expected})
        self.assertIs(int, type(end["retry_after_ms"]))
        self.assertTrue(0 <= end["retry_after_ms"] <= DRAIN_SECONDS * 1_000, end)
        return end["retry_after_ms"]


class Slow(unittest.TestCase):
    """A client that reads nothing, with more due to it than all buffers on the way hold."""

    MESSAGES = 1_000
    WINDOW = 50
    PADDING = "缓" * 600
    BUFFER = 65_536

    def fill(self, **limits: int) -> tuple[Server, RawSocket, list[int]]:
        """The server, the client's socket, and the offsets of what it hasn't read."""
        limits |= {"send_buffer_bytes": self.BUFFER, "outbound_bytes": self.BUFFER}
        server = Server({"limits": limits}, mode="open").start()
        self.addCleanup(server.remove)
        slow = RawSocket(server.port)
        self.addCleanup(slow.close)
        slow.socket.setsockopt(sockets_of_the_system.SOL_SOCKET, sockets_of_the_system.SO_RCVBUF, self.BUFFER)
        slow.upgrade("/ws?account=bob")
        self.assertEqual(50000, slow.read_json()["code"])
        offsets = []
        with RawSocket(server.port) as writer:
            writer.upgrade("/ws?account=ann").read_json()
            for start in range(0, self.MESSAGES, self.WINDOW):
                writer.send(b"".join(request({"type": 1, "to": "bob", "content": f"{number} {self.PADDING}"})
                                     for number in range(start, start + self.WINDOW)))
                offsets += [writer.read_json()["offset"] for _ in range(self.WINDOW)]
        return server, slow, offsets

    def read(self, socket: RawSocket, offsets: list[int]) -> None:
        for number, offset in enumerate(offsets):
            frame = socket.read_json()
            expected = (self.MESSAGES - len(offsets) + number, offset)
            self.assertEqual(expected, (int(frame["content"].split(" ")[0]), frame["offset"]))

    def test_it_is_not_cut_for_its_silence(self):
        """With its buffers full it can't have seen a ping. One that could answer and doesn't is cut."""
        server, slow, offsets = self.fill(idle_seconds=2, ping_interval_seconds=1)
        # It reads nothing while others come and are found to be silent, one after the other.
        for _ in range(3):
            with RawSocket(server.port) as mute:
                mute.upgrade("/ws?account=mute").read_json()
                pings = 0
                with self.assertRaises(EOFError):
                    while True:
                        pings += mute.read_frame()[0] == PING
                self.assertGreaterEqual(pings, 1, "it was asked before it was cut")
        self.read(slow, offsets)
        slow.send(request({"type": 4, "ref": "still here"}))
        self.assertEqual("still here", slow.read_json()["ref"])
        # Now that it can hear a ping it has to answer.
        with self.assertRaises(EOFError):
            while True:
                slow.read_frame()
        self.assertEqual(0, server.stop())

    def test_a_limit_of_events_cuts_it_and_it_goes_on_where_it_was(self):
        """With `limits.lag_events` a client too far behind is closed with 4002, after what it still gets; no more."""
        server, slow, offsets = self.fill(lag_events=self.MESSAGES // 4, close_seconds=SECONDS)
        with RawSocket(server.port) as asker:
            asker.upgrade("/ws?account=ann").read_json()

            def is_gone() -> bool:
                asker.send(request({"type": 8, "to": "bob"}))
                return "bob" not in asker.read_json()["content"]
            wait_for(is_gone, "the client to be found too far behind")
        got = 0
        while (received := slow.read_frame())[0] != CLOSE:
            got += received[0] == TEXT
        self.assertEqual(4002, int.from_bytes(received[2][:2]))
        self.assertLess(got, self.MESSAGES)
        slow.send(close(1000))
        again = RawSocket(server.port)
        self.addCleanup(again.close)
        again.upgrade(f"/ws?account=bob&after={offsets[got - 1]}")
        self.assertEqual(offsets[got - 1], again.read_json()["offset"])
        self.read(again, offsets[got:])
        self.assertEqual(50010, again.read_json()["code"])


def close(code: int) -> bytes:
    return frame(code.to_bytes(2), CLOSE)


if __name__ == "__main__":
    unittest.main()
