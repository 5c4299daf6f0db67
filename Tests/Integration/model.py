"""What the log says: the frames that each socket must be sent, the histories and the unread counts.

Made from `quipu audit list` by the words of docs/protocol.md, and by nothing that the server answers.
"""

import bisect
import json
import math
from collections import defaultdict
from typing import Any, NamedTuple

from harness import quipu

CONVERSATION, ROOM, SESSION = "conversation", "room", "session"

EVENTS = {"MessageSent": "message", "MessagesRead": "read", "MessageEdited": "edited", "MessageDeleted": "deleted"}


class Listener(NamedTuple):
    """Whose socket it is, of which kind, and whether it gets the pushes 50005, 50008 and 50009."""

    kind: str
    me: str
    peer: str | None = None
    changes: bool = True


def read_log(data: Any, *options: str) -> list[dict]:
    """Every event of a data folder, oldest first."""
    ended = quipu("audit", "list", "--format", "json", "--data", str(data), *options, seconds=120)
    assert ended.returncode == 0, ended.stdout[-2_000:] + ended.stderr
    # Not splitlines(): Python counts U+2028 and other characters as the end of a line.
    return [json.loads(line) for line in ended.stdout.split("\n") if line]


def membership(events: list[dict]) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """By account and room, the offsets from which on and up to which somebody was in."""
    spans: dict[tuple[str, str], list] = defaultdict(list)
    for event in events:
        if event["type"] == "MemberAdded":
            spans[event["member"], event["room"]].append((event["offset"], math.inf))
        elif event["type"] == "MemberRemoved":
            start, _ = spans[event["member"], event["room"]].pop()
            spans[event["member"], event["room"]].append((start, event["offset"]))
    return spans


def frames(events: list[dict], listener: Listener) -> list[tuple[int, dict]]:
    """What a resume from the beginning brings this socket: the offset of each event and its frame."""
    rooms: set[str] = set()
    due = []
    for event in events:
        if event["type"] == "MemberAdded" and event["member"] == listener.me:
            rooms.add(event["room"])
        elif event["type"] == "MemberRemoved" and event["member"] == listener.me:
            rooms.discard(event["room"])
        elif concerns(event, listener, rooms):
            due.append((event["offset"], frame(event, listener)))
    return due


def concerns(event: dict, listener: Listener, rooms: set[str]) -> bool:
    kind = EVENTS.get(event["type"])
    if kind is None or (kind != "message" and not listener.changes):
        return False
    if kind == "read" and event["actor"] == listener.me:
        return False
    if "room" in event:
        return listener.kind != CONVERSATION and event["room"] in rooms
    sides = {event["actor"], event["to"]}
    if listener.kind == ROOM or listener.me not in sides:
        return False
    if listener.kind == CONVERSATION and sides != {listener.me, listener.peer}:
        return False
    # What its own user writes elsewhere doesn't come to a conversation socket.
    return kind != "message" or listener.kind == SESSION or event["to"] == listener.me


def frame(event: dict, listener: Listener) -> dict:
    """The fields that the frame of an event must have."""
    kind, sender, offset = EVENTS[event["type"]], event["actor"], event["offset"]
    place = {"room": event["room"]} if "room" in event else {"to": event["to"]}
    shared = {"event": kind, "sender": sender, "CreatedAt": event["time"]} | place
    if kind == "read":
        return {"from": sender, "code": 50005, "content": event["reference"], "offset": event["reference"],
                "at": offset} | shared
    if kind != "message":
        return {"from": sender, "code": 50008 if kind == "edited" else 50009, "content": event.get("content", ""),
                "target": event["reference"], "offset": offset} | shared
    if listener.kind == ROOM:
        return {"Sender": sender, "context": event["content"], "roomId": event["room"], "offset": offset,
                "CreatedAt": event["time"]}
    is_conversation = listener.kind == CONVERSATION
    own = {"id": event["id"]} if "id" in event and sender == listener.me and not is_conversation else {}
    return {"from": f"{listener.me}->{sender}" if is_conversation else sender, "code": 50000,
            "content": event["content"], "offset": offset} | shared | own


def position(received: dict) -> int:
    """The offset of the event that a frame tells of: a client that remembers it needs nothing up to there again."""
    return received.get("at", received["offset"])


class State:
    """Histories, marks and members, as of the events that were applied."""

    def __init__(self, events: list[dict] = ()):
        # By conversation, which is the pair of its people, or by room: the offsets of its messages.
        self.offsets: dict[Any, list[int]] = defaultdict(list)
        self.messages: dict[int, dict] = {}
        self.marks: dict[tuple[str, Any], int] = defaultdict(int)
        # Where a member's unread messages begin, for those who are in.
        self.joined: dict[str, dict[str, int]] = defaultdict(dict)
        for event in events:
            self.apply(event)

    def apply(self, event: dict) -> None:
        kind, actor, offset = event["type"], event["actor"], event["offset"]
        key = event.get("room") or frozenset((actor, event.get("to", actor)))
        if kind == "MessageSent":
            self.offsets[key].append(offset)
            self.messages[offset] = {"key": key, "sender": actor, "to": event.get("room") or event["to"],
                                     "content": event["content"], "created": event["time"], "updated": event["time"],
                                     "deleted": False}
        elif kind == "MessagesRead":
            self.marks[actor, key] = max(self.marks[actor, key], event["reference"])
        elif kind == "MessageEdited":
            self.messages[event["reference"]] |= {"content": event["content"], "updated": event["time"]}
        elif kind == "MessageDeleted":
            self.messages[event["reference"]]["deleted"] = True
        elif kind == "MemberAdded":
            self.joined[key].setdefault(event["member"], offset)
        elif kind == "MemberRemoved":
            self.joined[key].pop(event["member"], None)

    def read_up_to(self, reader: str, key: Any) -> int:
        """Nothing up to here is unread: what was said before somebody came into a room isn't."""
        joined = self.joined[key].get(reader, 0) if isinstance(key, str) else 0
        return max(self.marks[reader, key], joined)

    def unread(self, reader: str, key: Any) -> list[int]:
        """The offsets of what others wrote and `reader` hasn't read."""
        if isinstance(key, str) and reader not in self.joined[key]:
            return []
        above = self.offsets[key][bisect.bisect_right(self.offsets[key], self.read_up_to(reader, key)):]
        return [n for n in above if self.messages[n]["sender"] != reader and not self.messages[n]["deleted"]]

    def counts(self, reader: str) -> dict:
        """The answer to type 4."""
        found = {key: len(self.unread(reader, key)) for key in list(self.offsets)
                 if isinstance(key, str) or reader in key}
        direct = sorted(((peer_of(reader, key), count) for key, count in found.items()
                         if count and not isinstance(key, str)), key=lambda item: item[0].encode())
        rooms = sorted((key, count) for key, count in found.items() if count and isinstance(key, str))
        return {"total_counts": sum(count for _, count in direct),
                "unread_counts": [{"send_id": peer, "unread_count": count} for peer, count in direct],
                "room_counts": [{"room": room, "unread_count": count} for room, count in rooms]}

    def history(self, reader: str, key: Any) -> list[dict]:
        """The rows of type 2, newest first."""
        rows = []
        for offset in reversed(self.offsets[key]):
            message = self.messages[offset]
            if message["deleted"]:
                continue
            if message["sender"] != reader:
                is_read = offset <= self.read_up_to(reader, key)
            else:
                is_read = isinstance(key, str) or offset <= self.marks[message["to"], key] or message["to"] == reader
            rows.append({"ID": offset, "CreatedAt": message["created"], "UpdatedAt": message["updated"],
                         "DeletedAt": None, "send_id": message["sender"], "receive_id": message["to"],
                         "content": message["content"], "is_read": is_read})
        return rows


def peer_of(me: str, key: frozenset) -> str:
    return next((name for name in key if name != me), me)
