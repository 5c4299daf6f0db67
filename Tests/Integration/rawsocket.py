"""A TCP connection that says whatever a test wants, right or wrong, and reads WebSocket frames byte by byte."""

import base64
import json
import os
import socket
import struct
from typing import Any

SECONDS = 20

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA


def frame(payload: bytes, opcode: int = TEXT, fin: bool = True, masked: bool = True, reserved: int = 0,
          length: int | None = None) -> bytes:
    """One frame as RFC 6455 §5.2 has it; `length` lies about the payload's."""
    size = len(payload) if length is None else length
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65_536:
        head += bytes([mask_bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask_bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    key = os.urandom(4)
    stream = (key * (len(payload) // 4 + 1))[:len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
    return head + key + mixed.to_bytes(len(payload), "big")


def request(content: Any) -> bytes:
    """A request as a masked text frame."""
    return frame(json.dumps(content, ensure_ascii=False).encode())


class RawSocket:
    """The connection; `upgrade` makes it a WebSocket."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.start = 0

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def upgrade(self, path: str, token: str | None = None) -> "RawSocket":
        """Opens the WebSocket; a refusal is a failure."""
        status, headers, body = self.ask_upgrade(path, self.headers(token))
        assert status == 101, f"the upgrade was refused: {status} {body[:500]!r}"
        return self

    def headers(self, token: str | None = None) -> dict[str, str]:
        """What a right upgrade sends; a test changes or removes some."""
        headers = {"Host": "127.0.0.1", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode()}
        return headers | ({"Authorization": f"Bearer {token}"} if token else {})

    def ask_upgrade(self, path: str, headers: dict[str, str], method: str = "GET",
                    version: str = "HTTP/1.1") -> tuple[int, dict, bytes]:
        lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.send("\r\n".join(lines).encode())
        return self.read_reply()

    def read_reply(self) -> tuple[int, dict[str, str], bytes]:
        """The status, the headers (names in lower case) and the body of one HTTP reply."""
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self.fill()
        head, rest = bytes(self.buffer[:end]).decode(), bytes(self.buffer[end + 4:])
        status, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        self.buffer = bytearray(rest)
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            self.fill()
        body = bytes(self.buffer[:length])
        del self.buffer[:length]
        return int(status.split()[1]), headers, body

    def fill(self) -> None:
        """Waits for more bytes; the end of the connection is an EOFError."""
        if self.start:
            del self.buffer[:self.start]
            self.start = 0
        try:
            data = self.socket.recv(262_144)
        except TimeoutError:
            raise AssertionError(f"nothing came within {self.socket.gettimeout()} s") from None
        except ConnectionError:
            data = b""
        if not data:
            raise EOFError
        self.buffer += data

    def parse(self) -> tuple[int, bool, bytes] | None:
        """The next whole frame of what is here already: opcode, fin, payload."""
        buffer, start = self.buffer, self.start
        available = len(buffer) - start
        if available < 2:
            return None
        size, head = buffer[start + 1], 2
        assert size < 128, "a server must not mask"
        if size == 126:
            head = 4
        elif size == 127:
            head = 10
        if available < head:
            return None
        if head > 2:
            size = int.from_bytes(buffer[start + 2:start + head], "big")
        if available < head + size:
            return None
        self.start = start + head + size
        first = buffer[start]
        assert first & 0x70 == 0, "no extension was agreed on"
        return first & 0x0F, bool(first & 0x80), bytes(buffer[start + head:self.start])

    def read_frame(self) -> tuple[int, bool, bytes]:
        while (parsed := self.parse()) is None:
            self.fill()
        return parsed

    def read_json(self) -> dict:
        """The next text message; pings and pongs on the way are passed over."""
        message = b""
        while True:
            opcode, fin, payload = self.read_frame()
            if opcode in (PING, PONG):
                continue
            assert opcode in (TEXT, CONTINUATION), f"expected a text frame, got opcode {opcode}: {payload[:200]!r}"
            message += payload
            if fin:
                return json.loads(message)

    def close_code(self) -> int | None:
        """Reads on until the server's close frame or its end; None if it ended without one."""
        try:
            while True:
                opcode, _, payload = self.read_frame()
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2], "big") if payload else 1005
        except EOFError:
            return None

    def wait_for_end(self) -> bytes:
        """Reads until the server ends the connection; what it said before."""
        try:
            while True:
                self.fill()
        except EOFError:
            return bytes(self.buffer)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "RawSocket":
        return self

    def __exit__(self, *_) -> None:
        self.close()
