"""A client of the soak: one place of a user, which connects, loses its connection, and goes on where it stood.

Everything happens on one thread: what has arrived is taken in by `take`, and nothing waits for a reply.
"""

import json
import urllib.parse
from collections import deque
from typing import Any

from model import CONVERSATION, ROOM, SESSION, Listener
from rawsocket import CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, frame, request
from streams import Stream, is_event

# Typing has no reply.
SILENT = (7,)
# Typing, presence, and the end of a resume that the URL asked for.
UNASKED = (50006, 50007, 50010)


class Sent:
    """A request, and its reply once it has come."""

    def __init__(self, user: str, content: dict, stream: Stream):
        self.user, self.content, self.stream = user, content, stream
        self.reply: dict | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the reply says that something was appended for it, or had been."""
        return self.reply is not None and self.reply.get("code") in (50000, 50002, 50003)

    def __repr__(self) -> str:
        return f"{self.user}: {self.content} → {self.reply}"


class Client:
    """Connects with `?after=` once it has a position; `streams` is what each of its connections received."""

    def __init__(self, listener: Listener, refs: Any):
        self.listener, self.refs = listener, refs
        self.position: int | None = None
        self.log = ""
        self.socket: RawSocket | None = None
        self.streams: list[Stream] = []
        self.waiting: deque[Sent] = deque()
        self.sent: list[Sent] = []
        self.fragments = b""
        # A client that reads nothing for a while.
        self.is_paused = False

    @property
    def stream(self) -> Stream:
        return self.streams[-1]

    # Life

    def connect(self, port: int) -> None:
        query = {"events": "1"} if self.listener.changes and self.listener.kind != SESSION else {}
        path = {CONVERSATION: "/ws", SESSION: "/ws", ROOM: "/ws/" + urllib.parse.quote(self.listener.me, safe="")}
        if self.listener.kind == CONVERSATION:
            query |= {"send_id": self.listener.me, "receive_id": self.listener.peer}
        elif self.listener.kind == SESSION:
            query["account"] = self.listener.me
        is_resumed = self.position is not None
        if is_resumed:
            query |= {"after": str(self.position), "log": self.log}
        self.socket = RawSocket(port)
        status, headers, body = self.socket.ask_upgrade(
            path[self.listener.kind] + "?" + urllib.parse.urlencode(query), self.socket.headers())
        assert status == 101, f"{self.listener}: the upgrade was refused: {status} {body[:500]!r}"
        self.waiting.clear()
        self.fragments = b""
        self.is_paused = False
        if self.listener.kind == CONVERSATION:
            start = self.socket.read_json()
            log, offset = start["log"], start["offset"]
        else:
            log, offset = headers["x-quipu-log"], int(headers["x-quipu-offset"])
            if self.listener.kind == SESSION:
                start = self.socket.read_json()
                assert (log, offset) == (start["log"], start["offset"]), f"{headers}\n{start}"
        assert not is_resumed or (log, offset) == (self.log, self.position), f"{self.listener}: greeted with {offset}"
        self.log, self.position = log, offset
        self.streams.append(Stream(self.listener, offset, is_resumed))
        # Something may have come along with the greeting.
        self.parse()

    def ended(self) -> None:
        """The connection is gone; what it was sent says where to go on."""
        self.socket.close()
        self.socket = None
        self.position = self.stream.position

    def hang_up(self, politely: bool) -> None:
        """Ends the connection, with a close frame or without; what is on its way is lost."""
        if politely:
            self.socket.send(frame((1000).to_bytes(2), CLOSE))
        self.ended()

    # Talking

    def send(self, content: dict) -> Sent:
        sent = Sent(self.listener.me, content | {"ref": next(self.refs)}, self.stream)
        if content.get("type") == 6:
            self.stream.resumes.append((content["after"], len(self.stream.received)))
        self.waiting.append(sent)
        self.sent.append(sent)
        self.socket.send(request(sent.content))
        return sent

    def take(self) -> bool:
        """Takes in what has arrived, waiting if nothing has; False when the server has ended the connection."""
        try:
            self.socket.fill()
        except EOFError:
            self.ended()
            return False
        return self.parse()

    def parse(self) -> bool:
        while (parsed := self.socket.parse()) is not None:
            opcode, fin, payload = parsed
            if opcode == CLOSE:
                self.stream.closed = int.from_bytes(payload[:2])
                self.hang_up(politely=True)
                return False
            if opcode == PING:
                self.socket.send(frame(payload, PONG))
            elif opcode in (TEXT, CONTINUATION):
                self.fragments += payload
                if fin:
                    self.got(json.loads(self.fragments))
                    self.fragments = b""
        return True

    def got(self, received: dict) -> None:
        self.stream.received.append(received)
        if "ref" not in received:
            expected = is_event(received) or received.get("code") in UNASKED or "retry_after_ms" in received
            assert expected, f"{self.listener} was sent {received}"
            return
        # Replies come in the order of the requests; only typing has none.
        while (sent := self.waiting.popleft()).content["ref"] != received["ref"]:
            assert sent.content.get("type") in SILENT, f"{sent} was passed over: {received}"
            assert self.waiting, f"a reply to nothing: {received}"
        sent.reply = received
