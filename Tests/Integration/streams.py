"""Holds what a socket was sent against the log: in order, each once, nothing left out, over any number of resumes."""

import bisect
from typing import Any

from model import ROOM, Listener, frames, position

ACKED = (1, 9, 10)


class Stream:
    """What one connection received, in order, from the offset on at which its cursor was set."""

    def __init__(self, listener: Listener, after: int, is_resumed: bool, name: str = ""):
        self.listener, self.after, self.is_resumed = listener, after, is_resumed
        self.name = name or f"{listener.kind} socket of {listener.me!r}"
        self.received: list[dict] = []
        # The type 6 requests that were sent on it, oldest first: after what, and how much had been received by then.
        self.resumes: list[tuple[int, int]] = []
        # The status of the server's close frame.
        self.closed: int | None = None

    @property
    def position(self) -> int:
        """From where a client goes on that has seen this much."""
        return max([self.after, *(place(frame) for frame in self.received)])

    @property
    def is_synced(self) -> bool:
        """Whether every resume has come to its 50010."""
        return sum(frame.get("code") == 50010 for frame in self.received) == len(self.resumes) + self.is_resumed


def place(frame: dict) -> int:
    """The greatest offset that a frame names as seen, as a client takes it."""
    return max(frame.get("offset", 0), frame.get("at", 0))


def is_event(frame: dict) -> bool:
    """Whether a frame tells of an event in the log; typing and presence don't."""
    return "Sender" in frame or frame.get("event") in ("message", "read", "edited", "deleted")


class Checker:
    """Goes through a stream with the frames that the log owes its socket."""

    def __init__(self, test: Any, events: list[dict], stream: Stream, due: list | None = None):
        self.test, self.stream = test, stream
        self.actors = {event["offset"]: event["actor"] for event in events}
        self.due = frames(events, stream.listener) if due is None else due
        self.offsets = [offset for offset, _ in self.due]
        self.next = self.index(stream.after)
        # Resumes whose 50010 hasn't come, and whether the cursor was seen to have moved for the first of them.
        self.waiting = [(stream.after, 0, None)] if stream.is_resumed else []
        self.waiting += [(after, seen, 6) for after, seen in stream.resumes]
        self.has_moved = stream.is_resumed
        # Where in the log the stream was before each frame.
        self.trace: list[int] = []

    def index(self, after: int) -> int:
        return bisect.bisect_right(self.offsets, after)

    def check(self, upto: int | None = None) -> None:
        """With `upto`, nothing of what is in the log up to there may be missing."""
        for self.number, frame in enumerate(self.stream.received):
            self.trace.append(self.next)
            if is_event(frame):
                self.event(frame)
            elif frame.get("code") == 50010:
                self.synced(frame)
            elif frame.get("reply") in ACKED and frame["code"] in (50000, 50002, 50003) and "offset" in frame:
                self.ack(frame)
            elif "retry_after_ms" in frame:
                self.nothing_owed(frame["offset"], frame)
        if upto is not None:
            self.number = len(self.stream.received)
            self.nothing_owed(upto, "the end")
            self.test.assertEqual([], self.waiting, f"{self.stream.name}: resumes without a 50010")

    def event(self, frame: dict) -> None:
        offset = position(frame)
        if self.following() != offset and self.waiting and not self.has_moved:
            # Here a resume begins: the cursor goes back.
            self.next, self.has_moved = self.index(self.waiting[0][0]), True
        if self.following() != offset:
            self.fail(f"expected offset {self.following()}", frame)
        expected = self.due[self.next][1]
        actual = {name: frame.get(name) for name in expected}
        self.test.assertEqual(expected, actual, f"{self.stream.name}, frame {self.number}")
        self.next += 1

    def synced(self, frame: dict) -> None:
        if not self.waiting:
            self.fail("no resume was asked for", frame)
        after, seen, reply = self.waiting.pop(0)
        self.test.assertEqual(reply, frame.get("reply"), f"{self.stream.name}: {frame}")
        # What had been received when it was sent must come again; what came since may be what it brought.
        if not self.has_moved and self.trace[seen] > self.index(after):
            self.fail(f"nothing came again after {after}", frame)
        self.test.assertGreaterEqual(frame["offset"], after, f"{self.stream.name}: {frame}")
        self.nothing_owed(frame["offset"], frame)
        self.has_moved = False

    def ack(self, frame: dict) -> None:
        """It stands at its place, and in the place of the event if this socket would get it."""
        if frame.get("duplicate"):
            return
        offset = frame["offset"]
        self.nothing_owed(offset - 1, frame)
        if self.following() != offset:
            return
        me = self.stream.listener.me
        self.test.assertEqual(me, self.actors[offset], f"{self.stream.name}: {frame}")
        # A room socket gets its own messages besides, and so does who writes to themself.
        if frame["reply"] != 1 or (self.stream.listener.kind != ROOM and self.due[self.next][1].get("to") != me):
            self.next += 1

    def following(self) -> int | None:
        return self.offsets[self.next] if self.next < len(self.offsets) else None

    def nothing_owed(self, upto: int, frame: Any) -> None:
        """Everything up to this offset has come."""
        following = self.following()
        if following is not None and following <= upto:
            self.fail(f"offset {following} is missing", frame)

    def fail(self, what: str, frame: Any) -> None:
        start = max(0, self.number - 3)
        near = "\n".join(f"  {number}: {str(got)[:300]}" for number, got
                         in enumerate(self.stream.received[start:self.number + 2], start))
        owed = "\n".join(f"  {str(frame)[:300]}" for _, frame in self.due[max(0, self.next - 1):self.next + 2])
        self.test.fail(f"{self.stream.name}, after {self.stream.after}, resumes {self.stream.resumes}: {what} "
                       f"at {str(frame)[:300]}\nreceived:\n{near}\nthe log has:\n{owed}")
