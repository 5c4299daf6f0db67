"""What a soak comes to: everything that its clients were told, held against the log."""

import itertools
from typing import Any

from model import CONVERSATION, ROOM, Listener, State, frames, membership, peer_of
from soakclient import Client, Sent
from sockets import Socket
from streams import Checker


class Outcome:
    """`where` is in front of each finding: the seed."""

    def __init__(self, test: Any, where: str, events: list[dict], clients: list[Client]):
        self.test, self.where, self.events, self.clients = test, where, events, clients
        self.state = State(events)

    def check_acknowledged(self) -> None:
        """What was promised is in the log as promised; the rest is there once or not at all, and in order."""
        events, where = self.events, self.where
        stored = {event["content"]: event for event in events if event["type"] in ("MessageSent", "MessageEdited")}
        self.test.assertEqual(len([event for event in events if "content" in event]), len(stored),
                              f"{where}: something is stored twice")
        spans = membership(events)
        for client in self.clients:
            for sent in client.sent:
                if sent.is_stored:
                    self.check_stored(sent)
                elif sent.reply is not None and sent.content.get("type") == 9:
                    self.test.assertNotIn(sent.content["content"], stored, f"{where}: {sent} was refused")
            for stream in client.streams:
                self.check_order([sent for sent in client.sent if sent.stream is stream], stored, spans)

    def check_stored(self, sent: Sent) -> None:
        test, content, reply, where = self.test, sent.content, sent.reply, f"{self.where}: {sent}"
        kind = content.get("type", 1)
        names = {1: "MessageSent", 9: "MessageEdited", 10: "MessageDeleted"}
        listener = sent.stream.listener
        peer = listener.peer if listener.kind == CONVERSATION else content.get("to")
        room = content.get("room", content.get("RoomId")) if listener.kind != CONVERSATION else None
        if kind == 5:
            left = self.state.unread(sent.user, room or frozenset((sent.user, peer)))
            test.assertEqual([], [offset for offset in left if offset <= reply["content"]], where)
        if kind not in names or "offset" not in reply:
            return
        event = self.events[reply["offset"] - 1]
        test.assertEqual((names[kind], sent.user, reply["offset"]), (event["type"], event["actor"], event["offset"]),
                         where)
        test.assertEqual(content.get("target", 0), event["reference"], where)
        test.assertEqual(content.get("id"), event.get("id"), where)
        if kind != 10:
            test.assertEqual(content.get("content", content.get("Msg")), event["content"], where)
        test.assertEqual((room, None if room else peer), (event.get("room"), event.get("to")), where)

    def check_order(self, sent: list[Sent], stored: dict[str, dict], spans: dict) -> None:
        """What one connection sent is stored in its order, and nothing is left out before what is stored."""
        missing: list[Sent] = []
        last = 0
        for one in sent:
            if one.content.get("type", 1) not in (1, 9) or "id" in one.content:
                continue
            event = stored.get(one.content.get("content", one.content.get("Msg")))
            if event is None:
                # An edit may have been refused, its reply being lost.
                missing += [one] if one.reply is None and one.content.get("type") != 9 else []
                continue
            self.test.assertGreater(event["offset"], last, f"{self.where}: {one} is out of order")
            for other in missing:
                room = other.content.get("room", other.content.get("RoomId"))
                was_in = room is None or any(start <= last and event["offset"] <= end
                                             for start, end in spans[other.user, room])
                self.test.assertFalse(was_in, f"{self.where}: {other} was passed over, though {one} was stored")
            missing = []
            last = event["offset"]

    def check_streams(self) -> None:
        """Each connection was sent what the log has after its start; the last ones, all of it."""
        due: dict[Listener, list] = {}
        for client in self.clients:
            if client.listener not in due:
                due[client.listener] = frames(self.events, client.listener)
            for number, stream in enumerate(client.streams):
                stream.name = f"{self.where}: connection {number} of the {stream.name}"
                is_last = stream is client.streams[-1] and client.listener.kind != ROOM
                Checker(self.test, self.events, stream, due[client.listener]).check(
                    client.position if is_last else None)

    def check_counts_told(self) -> None:
        """Every answer to type 4 was right at the offset that it named."""
        told = [(sent.reply["as_of"], sent) for client in self.clients for sent in client.sent
                if sent.content.get("type") == 4 and sent.reply and "as_of" in sent.reply]
        told.sort(key=lambda item: item[0])
        self.test.assertGreater(len(told), 0)
        state, applied = State(), 0
        for as_of, sent in told:
            for event in self.events[applied:as_of]:
                state.apply(event)
            applied = as_of
            self.check_counts(state, sent.user, sent.reply)

    def check_counts(self, state: State, user: str, reply: dict) -> None:
        expected = state.counts(user)
        actual = {name: reply.get(name) for name in expected}
        self.test.assertEqual(expected, actual, f"{self.where}: the counts of {user!r} at {reply.get('as_of')}")

    def check_members(self, rooms: dict[str, set[str]]) -> None:
        self.test.assertEqual(rooms, {room: set(self.state.joined[room]) for room in rooms}, self.where)

    def check_answers(self, user: str, socket: Socket) -> None:
        """Histories and counts, asked of the server, are those of the log."""
        state = self.state
        for key in list(state.offsets):
            if user not in (key if isinstance(key, frozenset) else state.joined[key]):
                continue
            place = {"room": key} if isinstance(key, str) else {"to": peer_of(user, key)}
            answer = socket.ask({"type": 2, "mark": False} | place)
            rows = answer["content"] if answer["code"] == 50000 else []
            for expected, actual in itertools.zip_longest(state.history(user, key), rows):
                self.test.assertEqual(expected, actual, f"{self.where}: the history of {user!r}, {place}")
            answer = socket.ask({"type": 3, "mark": False} | place)
            shown = [row["ID"] for row in answer["content"]] if answer["code"] == 50000 else []
            self.test.assertEqual(state.unread(user, key), shown, f"{self.where}: type 3 of {user!r}, {place}")
        self.check_counts(state, user, socket.ask({"type": 4}))
