"""A server that speaks just enough of the protocol for `quipu bench fanout`, and gets something wrong when asked to.

It has one room, keeps nothing on a disk, and answers each send at once.
"""

import base64
import hashlib
import json
import socket
import struct
import threading

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class FakeServer:
    """Serves until it is closed. `fault` is one of `lose`, `repeat`, `swap`, `forget`, or nothing."""

    def __init__(self, fault: str = ""):
        self.fault = fault
        self.lock = threading.Lock()
        self.connections: dict[socket.socket, str] = {}
        self.messages: list[tuple[int, str]] = []
        self.held: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.room = "83e7cbfa-0377-40d2-9a6b-0bdad566ef7c"
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()
        with self.lock:
            for connection in self.connections:
                connection.close()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        try:
            self.answer(connection, stream)
        except (OSError, struct.error, IndexError):
            pass
        finally:
            with self.lock:
                self.connections.pop(connection, None)
            connection.close()

    def answer(self, connection: socket.socket, stream) -> None:
        path = stream.readline().split()[1].decode()
        headers = {}
        while (line := stream.readline().strip()):
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        if path.startswith("/rooms"):
            stream.read(int(headers[b"content-length"]))
            body = json.dumps({"data": {"id": self.room, "name": "fanout", "members": []}}).encode()
            connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            return
        accept = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + GUID).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        with self.lock:
            self.connections[connection] = path
        while (frame := read_frame(stream)):
            opcode, payload = frame
            if opcode == 8:
                connection.sendall(write_frame(payload, 8))
                return
            with self.lock:
                self.request(connection, json.loads(payload))

    def request(self, connection: socket.socket, request: dict) -> None:
        if request["type"] == 2:
            before = request.get("before", 1 << 53)
            newest_first = reversed(self.messages)
            rows = [{"ID": offset, "content": content} for offset, content in newest_first if offset < before]
            if self.fault == "forget":
                rows = rows[1:]
            rows = rows[:request["limit"]]
            code = 50000 if rows else 50001
            reply = {"from": self.room, "code": code, "content": rows, "as_of": 1, "reply": 2}
            connection.sendall(write_frame(compact(reply)))
            return
        offset = len(self.messages) + 1
        self.messages.append((offset, request["content"]))
        delivery = write_frame(compact({"Sender": "somebody", "context": request["content"], "roomId": self.room}))
        deliveries = [delivery]
        if self.fault == "lose" and offset == 5:
            deliveries = []
        elif self.fault == "repeat" and offset == 5:
            deliveries = [delivery, delivery]
        elif self.fault == "swap" and offset == 5:
            self.held, deliveries = [delivery], []
        elif self.held:
            deliveries, self.held = [delivery, *self.held], []
        for member, path in self.connections.items():
            # Only what subscribers get is wrong.
            wrong = "-subscriber-" in path
            for frame in deliveries if wrong else [delivery]:
                member.sendall(frame)
        ack = {"from": "Server", "code": 50002, "content": "", "offset": offset, "reply": 1}
        connection.sendall(write_frame(compact(ack)))


def compact(value: dict) -> bytes:
    """As the real server writes it: no spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def read_frame(stream) -> tuple[int, bytes] | None:
    head = stream.read(2)
    if len(head) < 2:
        return None
    length = head[1] & 0x7F
    if length == 126:
        length = struct.unpack(">H", stream.read(2))[0]
    elif length == 127:
        length = struct.unpack(">Q", stream.read(8))[0]
    key = stream.read(4)
    payload = stream.read(length)
    return head[0] & 0x0F, bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def write_frame(payload: bytes, opcode: int = 1) -> bytes:
    if len(payload) < 126:
        return bytes([0x80 | opcode, len(payload)]) + payload
    if len(payload) < 1 << 16:
        return bytes([0x80 | opcode, 126]) + struct.pack(">H", len(payload)) + payload
    return bytes([0x80 | opcode, 127]) + struct.pack(">Q", len(payload)) + payload
