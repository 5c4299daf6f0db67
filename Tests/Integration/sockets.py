"""A WebSocket client by the PyPI package `websockets`, with a timeout on everything, and the checks on frames."""

import json
import threading
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

RECEIVE_SECONDS = 20


class Socket:
    """One connection. Deliveries that come while a reply is awaited are kept, in order, in `delivered`."""

    def __init__(self, url: str, token: str | None = None, **options):
        if token is not None:
            options["additional_headers"] = {"Authorization": f"Bearer {token}"} | options.get("additional_headers", {})
        # No limit of the client's own may stand between the server and a test.
        self.connection = connect(url, proxy=None, open_timeout=RECEIVE_SECONDS, close_timeout=RECEIVE_SECONDS,
                                  max_size=None, max_queue=None, ping_interval=None, **options)
        self.delivered: list[dict] = []
        self.greeting: dict | None = None

    def greeted(self) -> "Socket":
        self.greeting = self.receive()
        return self

    def send(self, frame: Any) -> None:
        """Sends a frame; a str or bytes goes as it is."""
        self.connection.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame, ensure_ascii=False))

    def receive_text(self, seconds: float = RECEIVE_SECONDS) -> str:
        try:
            return self.connection.recv(timeout=seconds)
        except TimeoutError:
            raise AssertionError(f"no frame came within {seconds} s") from None
        except ConnectionClosed as error:
            raise AssertionError(f"the connection was closed while a frame was awaited: {error}") from None

    def receive(self, seconds: float = RECEIVE_SECONDS) -> dict:
        """The next frame, whatever it is."""
        return json.loads(self.receive_text(seconds))

    def ask(self, frame: Any, seconds: float = RECEIVE_SECONDS) -> dict:
        """Sends a request and returns its reply; replies come in request order."""
        self.send(frame)
        return self.reply(seconds)

    def reply(self, seconds: float = RECEIVE_SECONDS) -> dict:
        """The next frame that is no delivery."""
        while is_delivery(frame := self.receive(seconds)):
            self.delivered.append(frame)
        return frame

    def delivery(self, seconds: float = RECEIVE_SECONDS) -> dict:
        """The next delivery; a reply in its place is a failure."""
        if self.delivered:
            return self.delivered.pop(0)
        frame = self.receive(seconds)
        assert is_delivery(frame), f"expected a delivery, got {frame}"
        return frame

    def close_code(self, seconds: float = RECEIVE_SECONDS) -> int:
        """Reads until the server closes; the code it closed with."""
        try:
            while True:
                self.connection.recv(timeout=seconds)
        except TimeoutError:
            raise AssertionError(f"the connection was not closed within {seconds} s") from None
        except ConnectionClosed as error:
            assert error.rcvd is not None, f"the connection ended without a close frame: {error}"
            return error.rcvd.code

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_) -> None:
        self.close()


class Collector(threading.Thread):
    """Reads a socket in a thread until `count` deliveries are there, or the server goes quiet for too long."""

    def __init__(self, socket: Socket, count: int):
        super().__init__(daemon=True)
        self.socket, self.count = socket, count
        self.frames: list[dict] = []
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            while len(self.frames) < self.count:
                self.frames.append(self.socket.delivery())
        except BaseException as error:
            self.error = error

    def finish(self) -> list[dict]:
        self.join()
        if self.error:
            raise AssertionError(f"after {len(self.frames)} of {self.count} deliveries: {self.error}") from self.error
        return self.frames


def is_delivery(frame: dict) -> bool:
    """Whether a frame is a message to this socket: the envelope of an event, or a room socket's echo."""
    return "event" in frame or "Sender" in frame


def refused(url: str, token: str | None = None, **options) -> tuple[int, dict, bytes]:
    """The status, headers and body with which an upgrade is refused."""
    try:
        Socket(url, token, **options).close()
    except InvalidStatus as error:
        return error.response.status_code, error.response.headers, bytes(error.response.body or b"")
    raise AssertionError(f"the upgrade of {url.split('?')[0]} was accepted")


def assert_seed(test, expected: dict, frame: dict, where: str = "") -> None:
    """The frame has the seed's fields with these values, in this order; fields beside them are allowed."""
    actual = {name: value for name, value in frame.items() if name in expected}
    message = f"{where}\nexpected {expected}\nactual   {frame}"
    test.assertEqual(expected, actual, message)
    test.assertEqual(list(expected), list(actual), f"the order of the fields: {message}")


def assert_code(test, code: int | tuple, frame: dict, where: str = "") -> dict:
    """The frame is an envelope with this code, or one of these."""
    codes = code if isinstance(code, tuple) else (code,)
    test.assertIn(frame.get("code"), codes, f"{where}\nexpected code {code}\nactual   {str(frame)[:2000]}")
    return frame
