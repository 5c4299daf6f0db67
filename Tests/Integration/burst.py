"""Bursts of sends that a kill cuts off: what was handed to the kernel, and what the server said before it died."""

import bisect
import json
import selectors
import threading

from rawsocket import PING, PONG, TEXT, RawSocket, request
from sockets import is_delivery

CHUNK = 4_096


class Burst:
    """One socket's sends. `contents[n]` is the n-th; `replies[n]` is its reply, and they come in this order."""

    def __init__(self, sender: str, socket: RawSocket, frames: list[dict]):
        self.sender, self.socket, self.frames = sender, socket, frames
        self.replies: list[dict] = []
        encoded = [request(sent) for sent in frames]
        self.data = b"".join(encoded)
        self.ends: list[int] = []
        for piece in encoded:
            self.ends.append((self.ends[-1] if self.ends else 0) + len(piece))
        self.written_bytes = 0
        self.thread = threading.Thread(target=self.write, daemon=True)

    def write(self) -> None:
        """Hands everything to the kernel as fast as it takes it; a dead server ends it."""
        try:
            while self.written_bytes < len(self.data):
                chunk = self.data[self.written_bytes:self.written_bytes + CHUNK]
                self.written_bytes += self.socket.socket.send(chunk)
        except OSError:
            pass

    @property
    def handed(self) -> int:
        """How many whole sends the kernel has taken."""
        return bisect.bisect_right(self.ends, self.written_bytes)

    def parse(self) -> None:
        """Takes the replies out of what has arrived."""
        while (parsed := self.socket.parse()) is not None:
            opcode, fin, payload = parsed
            if opcode in (PING, PONG):
                continue
            if opcode != TEXT or not fin:
                raise AssertionError(f"an ack or a delivery is one text frame, got opcode {opcode}: {payload[:200]!r}")
            if not is_delivery(frame := json.loads(payload)):
                self.replies.append(frame)

    @property
    def acks(self) -> list[tuple[dict, dict]]:
        """The sends that were acknowledged, each with its reply."""
        return [(sent, reply) for sent, reply in zip(self.frames, self.replies) if reply["code"] in (50002, 50003)]


def run(bursts: list[Burst], kill, handed: int, acks: int) -> None:
    """Sends all bursts at once, and kills when so many sends were handed over and so many acks were seen.

    Then reads what the server had still said. `kill` returns when the process is gone.
    """
    selector = selectors.DefaultSelector()
    for burst in bursts:
        selector.register(burst.socket.socket, selectors.EVENT_READ, burst)
    for burst in bursts:
        burst.thread.start()
    killed = False
    while selector.get_map():
        ready = selector.select(timeout=20 if killed else 0.001)
        if killed and not ready:
            raise AssertionError("the connections outlive the killed server")
        for key, _ in ready:
            burst: Burst = key.data
            try:
                burst.socket.fill()
                burst.parse()
            except EOFError:
                selector.unregister(key.fileobj)
        if not killed:
            seen = sum(len(burst.replies) for burst in bursts)
            if sum(burst.handed for burst in bursts) >= handed and seen >= acks:
                kill()
                killed = True
            elif not selector.get_map():
                raise AssertionError("the server ended before it was killed")
    for burst in bursts:
        burst.thread.join()
        burst.socket.close()
