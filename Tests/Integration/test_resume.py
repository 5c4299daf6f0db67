"""Resuming: type 6 and `?after=` bring every event of a socket after an offset, once and in order, then 50010, then
what happens.

What is due is taken from the log, by model.py; streams.py holds what came against it.
"""

import itertools
import random
import threading
import unittest

from harness import Server
from model import CONVERSATION, ROOM, SESSION, Listener, frames, read_log
from people import PeopleTest
from sockets import Socket, assert_code, refused
from streams import Checker, Stream
from texts import texts

SEED = 6_006
# Past this many events a socket that is behind reads the views' indexes and not the log alone.
EVENTS = 5_500
WINDOW = 200
PEOPLE = ("ann", "bob", "eve", "dan", "zoe")
LISTENERS = [Listener(SESSION, "bob"), Listener(CONVERSATION, "bob", "ann"),
             Listener(CONVERSATION, "bob", "ann", changes=False), Listener(ROOM, "bob"),
             Listener(ROOM, "bob", changes=False), Listener(SESSION, "ann")]


class ResumeTest(PeopleTest):
    def connect(self, listener: Listener, **query: object) -> tuple[Socket, Stream]:
        """A socket of this kind, and the stream that it begins."""
        query |= {"events": 1} if listener.changes and listener.kind != SESSION else {}
        if listener.kind == ROOM:
            socket = self.rooms(listener.me, **query)
            start = int(socket.connection.response.headers["X-Quipu-Offset"])
        else:
            socket = self.session(listener.me, **query) if listener.kind == SESSION else \
                self.pair(listener.me, listener.peer, **query)
            start = socket.greeting["offset"]
        is_resumed = "after" in query
        if is_resumed:
            self.assertEqual(query["after"], start, "the offset that it is greeted with")
        return socket, Stream(listener, start, is_resumed)

    def resume(self, socket: Socket, stream: Stream, after: int, **fields: object) -> None:
        stream.resumes.append((after, len(stream.received)))
        socket.send({"type": 6, "after": after} | fields)

    def read_to_end(self, socket: Socket, stream: Stream) -> dict:
        """Reads until the resume has come to its end, and returns its 50010."""
        end: dict = {}
        while end.get("code") != 50010:
            end = socket.receive()
            stream.received.append(end)
        expected = {"from": "Server", "code": 50010, "content": "已同步", "log": self.log, "reply": end.get("reply")}
        self.assertEqual(expected, {name: end.get(name) for name in expected})
        return end

    @property
    def log(self) -> str:
        with self.session("zoe") as socket:
            return socket.greeting["log"]


class Stored(ResumeTest):
    """A log of thousands of events, read again from everywhere."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(mode="open").start()
        cls.addClassCleanup(cls.server.remove)
        cls.words = texts(SEED)
        cls.random = random.Random(SEED)
        cls("fill").fill()

    def fill(self) -> None:
        """Writes, edits, deletes and reads in conversations and rooms, into which bob comes and goes."""
        first = self.make_room("ann", "bob", "eve")
        second = self.make_room("eve", "ann")
        sockets = {name: self.session(name) for name in PEOPLE}
        sent: dict[tuple, list[int]] = {}
        while self.head < EVENTS:
            for room in (first, second):
                # He is out of both for a while, and in again.
                if self.random.random() < 0.5:
                    self.add(room, "bob", by="eve")
                elif self.random.random() < 0.7:
                    self.remove(room, "bob", by="bob") if self.is_in(room, "bob") else None
            asked = []
            for _ in range(WINDOW):
                # Most of it is the talk of two whom nobody listens to.
                name, place = self.random.choices(
                    [("dan", {"to": "zoe"}), ("ann", {"to": "bob"}), ("bob", {"to": "ann"}), ("bob", {"to": "eve"}),
                     ("ann", {"room": first}), ("eve", {"room": first}), ("eve", {"room": second})],
                    [14, 3, 2, 1, 2, 1, 2])[0]
                mine = sent.setdefault((name, *place.items()), [])
                request: dict = {"type": self.random.choices([1, 5, 9, 10], [16, 2, 2, 1])[0]} | place
                if request["type"] > 5:
                    request |= {"target": self.random.choice(mine[-50:] or [1])}
                if request["type"] in (1, 9):
                    request |= {"content": next(self.words)}
                if request["type"] == 1 and self.random.random() < 0.2:
                    request |= {"id": f"{name} {self.random.random()}"}
                sockets[name].send(request)
                asked.append((name, request, mine))
            for name, request, mine in asked:
                reply = sockets[name].reply()
                if request["type"] == 1:
                    mine.append(assert_code(self, (50002, 50003), reply)["offset"])
        for socket in sockets.values():
            socket.close()

    def is_in(self, room: str, name: str) -> bool:
        rows = self.server.request("GET", f"/rooms?account={name}").json["data"]
        return room in [row["id"] for row in rows]

    def starts(self, listener: Listener, events: list[dict]) -> list[int]:
        """Offsets to begin after: the ends, somewhere, and around each change of the listener's rooms."""
        head = len(events)
        found = {0, head - 4_097, head - 1, head, self.random.randrange(head)}
        changes = [event["offset"] for event in events if event.get("member") == listener.me]
        if changes and listener.kind != CONVERSATION:
            offset = self.random.choice(changes)
            found |= {offset - 1, offset, offset + 1}
        return sorted(found)

    def test_every_socket_from_everywhere_over_restarts(self):
        """By the URL and by type 6, with the log named or not; after SIGTERM and after kill -9 it is the same."""
        for state in ("running", "after SIGTERM", "after kill -9"):
            if state != "running":
                code = self.server.stop() if state == "after SIGTERM" else self.server.kill()
                self.assertEqual(0 if state == "after SIGTERM" else -9, code)
                self.server.start()
            streams = []
            log, events = self.log, read_log(self.server.data)
            for listener in LISTENERS:
                refs = itertools.count(1)
                moving, moved = self.connect(listener)
                for number, after in enumerate(self.starts(listener, events)):
                    named = {"log": log} if number % 2 else {}
                    with self.subTest(state, listener=listener, after=after):
                        socket, stream = self.connect(listener, after=after, **named)
                        with socket:
                            end = self.read_to_end(socket, stream)
                        self.assertNotIn("reply", end)
                        self.assertGreaterEqual(end["offset"], len(events))
                        streams.append(stream)
                        # A type 6 is an own request of the newer kinds: from it on the pushes come too.
                        if listener.changes:
                            ref = next(refs)
                            self.resume(moving, moved, after, ref=ref, **named)
                            end = self.read_to_end(moving, moved)
                            self.assertEqual((6, ref), (end.get("reply"), end.get("ref")))
                            self.assertGreaterEqual(end["offset"], len(events))
                streams.append(moved)
                moving.close()
            events = read_log(self.server.data)
            due = {listener: frames(events, listener) for listener in LISTENERS}
            for stream in streams:
                with self.subTest(state, stream=stream.name, after=stream.after):
                    Checker(self, events, stream, due[stream.listener]).check()
            self.assertGreater(max(len(stream.received) for stream in streams), 1_000, "it was worth it")

    def test_a_type_6_of_a_seeds_socket_brings_the_pushes(self):
        """Those that are stored too, for the request asks for them."""
        for listener in (Listener(CONVERSATION, "bob", "ann"), Listener(ROOM, "bob")):
            with self.subTest(listener=listener):
                socket, stream = self.connect(listener._replace(changes=False))
                stream.listener = listener
                self.resume(socket, stream, 0)
                self.read_to_end(socket, stream)
                Checker(self, read_log(self.server.data), stream).check()
                self.assertLessEqual({"edited", "deleted", "read"}, {frame.get("event") for frame in stream.received})

    def test_requests_behind_a_resume_wait_for_its_end(self):
        """And it waits for those before it: replies come in the order of requests."""
        for listener in (Listener(SESSION, "bob"), Listener(CONVERSATION, "bob", "ann"), Listener(ROOM, "bob")):
            with self.subTest(listener=listener):
                socket, stream = self.connect(listener)
                place = {"to": "ann"}
                socket.send({"type": 1, "content": "before", "ref": 1} | place)
                socket.send({"type": 4, "ref": 2})
                self.resume(socket, stream, 0, ref=3)
                socket.send({"type": 1, "content": "behind", "ref": 4} | place)
                self.resume(socket, stream, EVENTS - 500, ref=5)
                socket.send({"type": 2, "limit": 1, "ref": 6} | place)
                self.resume(socket, stream, 2**53 - 1, ref=7)
                stream.resumes.pop()
                socket.send({"type": 4, "ref": 8})
                refs: list[int] = []
                while refs[-1:] != [8]:
                    stream.received.append(socket.receive())
                    refs += [stream.received[-1]["ref"]] if "ref" in stream.received[-1] else []
                self.assertEqual(list(range(1, 9)), refs)
                replies = {frame["ref"]: frame for frame in stream.received if "ref" in frame}
                assert_code(self, 50022, replies[7])
                Checker(self, read_log(self.server.data), stream).check()


class Places(ResumeTest):
    """Positions that aren't on this log, and rooms that one is in only for a while."""

    def setUp(self):
        self.server = Server(mode="open").start()
        self.addCleanup(self.server.remove)

    def test_a_position_that_is_not_on_this_log(self):
        """50022 says up to where it is shared; the cursor stays where it was; the socket goes on as if unasked."""
        writer = self.session("ann")
        room = self.make_room("ann", "bob")
        for number in range(20):
            self.say(writer, f"direct {number}", to="bob")
            self.say(writer, f"room {number}", room=room)
        log = self.log
        identity, epoch = log.split(".")
        other = f"{'1' if identity[0] == '0' else '0'}{identity[1:]}.{epoch}"
        for beyond, named in [(None, other), (None, "no log"), (None, identity), (1, other), (1, None), (1, log),
                              (2**52, log)]:
            for kind in (SESSION, ROOM, CONVERSATION):
                with self.subTest(kind, beyond=beyond, log=named):
                    listener = Listener(kind, "bob", "ann", changes=False)
                    # The last offset that both logs have: none, or this log's head.
                    shared = 0 if beyond is None or named == other else self.head
                    expected = {"from": "Server", "code": 50022, "offset": shared, "log": log}
                    query = {"after": self.head + beyond if beyond else 5} | ({"log": named} if named else {})
                    opened = self.open_at_head(listener, query)
                    self.assert_refusal(expected | {"reply": None, "ref": None}, opened.receive())
                    socket = self.open_at_head(listener, {})
                    reply = socket.ask({"type": 6, "ref": "r"} | query)
                    self.assert_refusal(expected | {"reply": 6, "ref": "r"}, reply)
                    self.say(writer, "to bob", to="bob")
                    self.say(writer, "to the room", room=room)
                    heard = {SESSION: ["to bob", "to the room"], ROOM: ["to the room"], CONVERSATION: ["to bob"]}
                    for one in (socket, opened):
                        for content in heard[kind]:
                            self.expect_message(content, one)
                        one.ask({"type": 4})
                        self.assertEqual([], one.delivered)
                        one.close()

    def open_at_head(self, listener: Listener, query: dict) -> Socket:
        opens = {SESSION: lambda: self.session("bob", **query), ROOM: lambda: self.rooms("bob", **query),
                 CONVERSATION: lambda: self.pair("bob", "ann", **query)}
        socket = opens[listener.kind]()
        at = socket.greeting["offset"] if socket.greeting else socket.connection.response.headers["X-Quipu-Offset"]
        self.assertEqual(self.head, int(at))
        return socket

    def assert_refusal(self, expected: dict, frame: dict) -> None:
        self.assertEqual(expected, {name: frame.get(name) for name in expected}, str(frame))
        self.assertIsInstance(frame["content"], str)

    def test_an_offset_that_is_none(self):
        """In the URL it is a 400; type 6 answers 50020."""
        for after in ("", "x", "-1", "+1", "1.0", "1e3", "0x10", "%201", str(2**53), str(2**64), "٣"):
            for path in ("/ws?account=bob&after=", "/ws/bob?after=", "/ws?send_id=bob&receive_id=ann&after="):
                with self.subTest(path=path, after=after):
                    url = self.server.url("") + path + ("%D9%A3" if after == "٣" else after.replace("+", "%2B"))
                    self.assertEqual(400, refused(url)[0])
        with self.session("bob", after=0) as socket:
            assert_code(self, 50010, socket.receive())
            assert_code(self, 50020, socket.ask({"type": 6, "after": -1}))

    def test_a_resume_with_nothing_to_send_says_so(self):
        with self.session("ann") as socket:
            self.say(socket, "hello", to="zoe")
        head = self.head
        for opens in (lambda **query: self.session("bob", **query), lambda **query: self.rooms("bob", **query),
                      lambda **query: self.pair("bob", "ann", **query)):
            for after in (0, head):
                with self.subTest(after=after), opens(after=after) as socket:
                    for end in (socket.receive(), socket.ask({"type": 6, "after": after})):
                        self.assertLessEqual(head, assert_code(self, 50010, end)["offset"])

    def test_a_room_is_heard_only_while_one_is_in(self):
        """From any offset, what was said before one came, between two stays and after one left is left out."""
        room = self.make_room("ann")
        writer = self.session("ann")
        heard = []
        for stay in range(3):
            heard.append(self.say(writer, f"out {stay}", room=room))
            self.add(room, "bob", by="ann")
            heard.append(self.say(writer, f"in {stay}", room=room))
            writer.ask({"type": 9, "room": room, "target": heard[0], "content": f"of what he did not hear {stay}"})
            self.remove(room, "bob")
        self.say(writer, "out for good", room=room)
        events = read_log(self.server.data)
        for after in range(len(events) + 1):
            with self.subTest(after=after):
                for listener in (Listener(SESSION, "bob"), Listener(ROOM, "bob")):
                    socket, stream = self.connect(listener, after=after)
                    self.read_to_end(socket, stream)
                    Checker(self, events, stream).check(len(events))
                    inside = [frame.get("content", frame.get("context")) for frame in stream.received
                              if frame.get("event") == "message" or "Sender" in frame]
                    self.assertEqual([f"in {n}" for n in range(3) if heard[2 * n + 1] > after], inside)
                    # The cursor ends outside: what is said now isn't for him.
                    self.say(writer, "still out", room=room)
                    self.assertEqual([], [socket.ask({"type": 4})] and socket.delivered)
                    socket.close()


class Meanwhile(ResumeTest):
    """Others go on writing while a resume runs."""

    def test_no_gap_and_no_duplicate_between_stored_and_live(self):
        self.server = Server({"limits": {"outbound_bytes": 16_384}}, mode="open").start()
        self.addCleanup(self.server.remove)
        room = self.make_room("ann", "bob", "eve")
        words = texts(SEED)
        with self.session("ann") as socket:
            for start in range(0, 6_000, WINDOW):
                for number in range(start, start + WINDOW):
                    socket.send({"type": 1, "content": f"{number} {next(words)}"}
                                | ({"room": room} if number % 3 else {"to": "bob"}))
                for _ in range(WINDOW):
                    assert_code(self, (50002, 50003), socket.reply())
        stop = threading.Event()
        failures: list[BaseException] = []

        def write(me: str, place: dict) -> None:
            try:
                with Socket(self.server.url("/ws", account=me)).greeted() as socket:
                    for number in itertools.count():
                        if stop.is_set():
                            return
                        ack = socket.ask({"type": 1, "content": f"live {me} {number}"} | place)
                        if number % 5 == 0:
                            socket.ask({"type": 9, "target": ack["offset"], "content": f"edited {number}"} | place)
                        socket.delivered.clear()
            except BaseException as error:
                failures.append(error)
        writers = [threading.Thread(target=write, args=pair)
                   for pair in (("ann", {"to": "bob"}), ("eve", {"room": room}), ("ann", {"room": room}))]
        for writer in writers:
            writer.start()
        streams: list[Stream] = []
        try:
            for listener in (Listener(SESSION, "bob"), Listener(ROOM, "bob"), Listener(CONVERSATION, "bob", "ann")):
                after = 0
                for number in range(6):
                    socket, stream = self.connect(listener, after=after)
                    with socket:
                        self.read_to_end(socket, stream)
                        if number % 2:
                            self.resume(socket, stream, stream.position // 2 * (number % 3))
                            self.read_to_end(socket, stream)
                        for _ in range(20):
                            stream.received.append(socket.receive())
                    streams.append(stream)
                    # In turn from the beginning, from where it stood, and from somewhere between.
                    after = (0, stream.position, stream.position - 100)[number % 3]
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        self.assertEqual([], failures)
        events = read_log(self.server.data)
        for stream in streams:
            Checker(self, events, stream).check()


if __name__ == "__main__":
    unittest.main()
