"""The server as a process, its HTTP side, and what the tests share.

A `Server` runs the real binary on a temporary data folder and a free port of the loopback. Everything that waits
has a deadline; what the server printed is part of the message when one passes.
"""

import atexit
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse
from typing import Any, NamedTuple

from sockets import Socket

START_SECONDS = 30
STOP_SECONDS = 30
WAIT_SECONDS = 20

OWN_VARIABLES = ("QUIPU_BINARY", "QUIPU_RECORD", "QUIPU_SEED")

PASSWORD = "correct horse 电池 staple"


def binary() -> str:
    """The path of the program under test."""
    path = os.environ.get("QUIPU_BINARY")
    if not path:
        root = pathlib.Path(__file__).resolve().parents[2]
        shown = subprocess.run(["swift", "build", "--show-bin-path"], cwd=root, capture_output=True, text=True)
        path = os.path.join(shown.stdout.strip(), "quipu")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"There is no program at {path!r}: build it, or set QUIPU_BINARY.")
    return path


def environment() -> dict[str, str]:
    """The environment of the program: ours without what is meant for the tests, which it would take for settings."""
    return {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}


def quipu(*arguments: str, input: str | None = None, seconds: float = 60) -> subprocess.CompletedProcess:
    """Runs one command to its end."""
    return subprocess.run(
        [binary(), *arguments], input=input, capture_output=True, encoding="utf-8", timeout=seconds, env=environment()
    )


def quote(name: str) -> str:
    """A name as one step of a path."""
    return urllib.parse.quote(name, safe="")


def wait_for(condition, what: str, seconds: float = WAIT_SECONDS) -> Any:
    """Asks until the condition is truthy, and returns that; fails when the deadline passes."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.01)


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.status} {self.body[:500].decode(errors='replace')}"


class Server:
    """One data folder, and the process that serves it while there is one."""

    def __init__(self, config: dict | None = None, mode: str = "required", options: tuple = ()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="quipu-test-"))
        atexit.register(self.remove)
        self.data = self.folder / "data"
        self.config = {"auth": {"mode": mode, "bcrypt_cost": 4}}
        # Short, so that a test which leaves a socket behind stops its server soon.
        self.config |= {"server": {"drain_seconds": 1}, "limits": {"close_seconds": 1}}
        for section, values in (config or {}).items():
            self.config.setdefault(section, {}).update(values)
        self.options = options
        self.process: subprocess.Popen | None = None
        self.lines: list[str] = []

    # Life

    def start(self) -> "Server":
        """Returns when the server says that it is ready."""
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.config, ensure_ascii=False), encoding="utf-8")
        self.lines = []
        self.port = 0
        self.process = subprocess.Popen(
            [binary(), "serve", "--config", path, "--data", self.data, "--port", "0", *self.options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            encoding="utf-8", errors="replace", env=environment(),
        )
        self.reader = threading.Thread(target=self._read, args=(self.process, self.lines), daemon=True)
        self.reader.start()
        try:
            wait_for(lambda: self.port or self.process.poll() is not None, "the server's address", START_SECONDS)
            wait_for(self._is_ready, "/health/ready", START_SECONDS)
        except (AssertionError, OSError) as error:
            self.kill()
            raise AssertionError(f"the server did not start: {error}; it printed:\n{self.printed}") from error
        return self

    def _read(self, process: subprocess.Popen, lines: list[str]) -> None:
        for line in process.stdout:
            lines.append(line)
            if not self.port and (match := re.search(r"http://127\.0\.0\.1:(\d+)", line)):
                self.port = int(match[1])

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with exit code {self.process.returncode}")
        return self.request("GET", "/health/ready").status == 200

    @property
    def printed(self) -> str:
        return "".join(self.lines[-200:])

    def stop(self) -> int:
        """Sends SIGTERM and returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not stopped {STOP_SECONDS} s after SIGTERM; it printed:\n{self.printed}") from None
        return self._ended()

    def kill(self) -> int:
        self.process.kill()
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        return code

    def restart(self) -> "Server":
        if self.process.poll() is None:
            self.stop()
        return self.start()

    def remove(self) -> None:
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.remove)

    # HTTP

    def request(self, method: str, path: str, body: Any = None, token: str | None = None,
                headers: dict | None = None) -> Reply:
        """One request on a connection of its own; a body that is not bytes goes as JSON."""
        headers = dict(headers or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def register(self, account: str, password: str = PASSWORD) -> Reply:
        body = {"account": account, "password": password, "email": f"{len(account)}@example.org", "username": account}
        return self.request("POST", "/account/register", body)

    def login(self, account: str, password: str = PASSWORD) -> Reply:
        return self.request("POST", "/account/login", {"account": account, "password": password})

    def account(self, name: str) -> str:
        """Registers an account, logs it in, and returns the token."""
        reply = self.register(name)
        assert reply.status == 202, f"register {name!r}: {reply}"
        reply = self.login(name)
        assert reply.status == 200, f"login {name!r}: {reply}"
        return reply.json["token"]

    def room(self, token: str, name: str, members: list[str]) -> str:
        """Makes a room and returns its id."""
        reply = self.request("POST", "/rooms", {"name": name, "members": members}, token)
        assert reply.status == 201, f"POST /rooms: {reply}"
        return reply.json["data"]["id"]

    # Sockets

    def url(self, path: str, **query: str) -> str:
        tail = "?" + urllib.parse.urlencode(query) if query else ""
        return f"ws://127.0.0.1:{self.port}{path}{tail}"

    def conversation(self, me: str, peer: str, token: str | None = None, **options) -> Socket:
        """A conversation socket, past its greeting."""
        return Socket(self.url("/ws", send_id=me, receive_id=peer), token, **options).greeted()

    def session(self, token: str, **options) -> Socket:
        """A session socket, past its greeting."""
        return Socket(self.url("/ws"), token, **options).greeted()

    def room_socket(self, me: str, token: str | None = None, **options) -> Socket:
        """A room socket, which has no greeting."""
        return Socket(self.url("/ws/" + quote(me)), token, **options)
