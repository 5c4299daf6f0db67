"""The servers, each started anew for one run: on the loopback, on a free port, pinned, its data in a folder of its own.

A server is a context: entering starts it and waits until it takes connections, leaving ends it, by its process.
"""

import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from typing import Any

import network
import tools
from tools import Unavailable

START_SECONDS = 30
STOP_SECONDS = 30
CONNECTIONS = 15_000

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]


def pinned(core: int, *command: str | os.PathLike) -> list[str]:
    return ["taskset", "--cpu-list", str(core), *map(str, command)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One process and its folder."""

    wire = ""

    def __init__(self, folder: pathlib.Path, durable: bool = False):
        self.folder = folder
        self.durable = durable
        self.port = 0
        self.process: subprocess.Popen | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def version(self) -> str:
        raise NotImplementedError

    def prepare_rooms(self, rooms: int, senders: int, subscribers: int) -> list[str]:
        """Makes the rooms where the server must know them, and returns the load's options for that."""
        return []

    def prepare_ingest(self) -> None:
        pass

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def __enter__(self) -> "Server":
        self.folder.mkdir(parents=True)
        self.port = free_port()
        command = pinned(SERVER_CORE, *self.command())
        self.log = self.folder / "output"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            cwd=self.folder)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"it didn't start: {tools.tail(self.log.read_text(errors='replace'))}")
            time.sleep(0.01)

    def is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def __exit__(self, *_: Any) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if isinstance(self, PostgreSQL) else signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Quipu(Server):
    wire = "quipu"
    binary = ""

    def command(self) -> list[str]:
        # One loop, as the server has one core.
        config = {"auth": {"mode": "open"}, "server": {"event_loops": 1, "drain_seconds": 1},
                  "limits": {"close_seconds": 1}}
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        return [self.binary, "serve", "--config", str(path), "--data", str(self.folder / "data"), "--port", "0"]

    def is_ready(self) -> bool:
        match = re.search(r"http://127\.0\.0\.1:(\d+)", self.log.read_text(errors="replace"))
        self.port = int(match[1]) if match else 0
        return bool(match) and super().is_ready()

    def version(self) -> str:
        return "this commit"

    def prepare_rooms(self, rooms: int, senders: int, subscribers: int) -> list[str]:
        path = self.folder / "rooms"
        with path.open("w") as file:
            for room in range(rooms):
                authors = [f"s{n}" for n in range(room * senders, (room + 1) * senders)]
                readers = [f"r{n}" for n in range(room * subscribers, (room + 1) * subscribers)]
                body = json.dumps({"name": f"room{room}", "members": authors[1:] + readers}).encode()
                url = f"http://127.0.0.1:{self.port}/rooms?account={authors[0]}"
                with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as answer:
                    print(json.load(answer)["data"]["id"], file=file)
        return ["--room-names", str(path)]


class Redis(Server):
    wire = "redis"

    def command(self) -> list[str]:
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"]
        return [tools.program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                "--dir", str(self.folder), "--maxclients", str(CONNECTIONS), "--client-output-buffer-limit",
                "pubsub 0 0 0", *(durable if self.durable else ["--appendonly", "no"])]

    def version(self) -> str:
        return re.search(r"v=(\S+)", tools.output_of(tools.program("redis-server"), "--version"))[1]


class RedisStreams(Redis):
    wire = "redis-streams"


class NATS(Server):
    wire = "nats"

    def command(self) -> list[str]:
        config = [f"listen: 127.0.0.1:{self.port}", f"max_connections: {CONNECTIONS}", "max_pending: 1GB",
                  'write_deadline: "60s"']
        if self.durable:
            config += [f'jetstream {{ store_dir: "{self.folder}/jetstream", sync_interval: always }}']
        config += self.listeners()
        path = self.folder / "nats.conf"
        path.write_text("\n".join(config) + "\n")
        return [tools.nats_server(), "--config", str(path)]

    def listeners(self) -> list[str]:
        return []

    def version(self) -> str:
        return tools.output_of(tools.nats_server(), "--version").split()[-1].lstrip("v")

    def prepare_ingest(self) -> None:
        """Makes the stream that takes what is published below `log`."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            stream = json.dumps({"name": "L", "subjects": ["log.*"], "storage": "file", "retention": "limits"})
            connection.sendall(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB _INBOX.make 1\r\n"
                               + f"PUB $JS.API.STREAM.CREATE.L _INBOX.make {len(stream)}\r\n{stream}\r\n".encode())
            answer = b""
            while b'"config"' not in answer and b'"error"' not in answer:
                received = connection.recv(65536)
                if not received:
                    break
                answer += received
        if b'"config"' not in answer:
            raise Unavailable(f"no stream: {answer[-200:]!r}")


class JetStream(NATS):
    wire = "jetstream"


class NATSWebSocket(NATS):
    wire = "nats-websocket"

    def listeners(self) -> list[str]:
        self.websocket_port = free_port()
        return [f'websocket {{ listen: "127.0.0.1:{self.websocket_port}", no_tls: true }}']

    def is_ready(self) -> bool:
        if not super().is_ready():
            return False
        self.port = self.websocket_port
        return super().is_ready()


class Mosquitto(Server):
    """Debian's build listens for WebSockets on every address, whatever it is told, and only beside plain MQTT."""

    wire = "mosquitto"

    def command(self) -> list[str]:
        if not network.is_own():
            raise Unavailable("it would listen on every address: run this as root, for a network namespace of its own")
        config = [f"listener {free_port()} 127.0.0.1", f"listener {self.port}", "protocol websockets",
                  "allow_anonymous true",
                  "persistence false", "max_queued_messages 0", "set_tcp_nodelay true", "log_type error"]
        if os.geteuid() == 0:
            config.append("user root")
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join(config) + "\n")
        return [tools.program("mosquitto"), "-c", str(path)]

    def version(self) -> str:
        shown = subprocess.run([tools.program("mosquitto"), "-h"], capture_output=True, text=True)
        return re.search(r"version (\S+)", shown.stdout)[1]


class UWebSockets(Server):
    wire = "uwebsockets"

    def command(self) -> list[str]:
        return [tools.uwebsockets_server(), str(self.port)]

    def version(self) -> str:
        return f"in {tools.SOCKETIFY.replace('==', ' ')}"


class Floor(Server):
    """Raw sockets; the records are as long as what is delivered by the server that it is the floor of."""

    wire = "floor"
    record_bytes = 200

    def command(self) -> list[str]:
        return [tools.floor_fanout(), str(self.record_bytes)]

    def is_ready(self) -> bool:
        text = self.log.read_text()
        self.port = int(text) if text.endswith("\n") else 0
        return self.port > 0

    def version(self) -> str:
        return ""

    def prepare_rooms(self, rooms: int, senders: int, subscribers: int) -> list[str]:
        path = self.folder / "rooms"
        path.write_text(f"{self.record_bytes}\n" * rooms)
        return ["--room-names", str(path)]


class PostgreSQL(Server):
    """The data folder is made once and copied for each run, for making and filling it takes seconds."""

    SCHEMA = """
        CREATE TABLE messages (
            id bigserial PRIMARY KEY, conversation bigint NOT NULL, send_id text NOT NULL, receive_id text NOT NULL,
            content text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
            is_read boolean NOT NULL DEFAULT false);
        INSERT INTO messages (conversation, send_id, receive_id, content, is_read)
            SELECT n % 8, 's' || n % 8, 'r' || n % 8, rpad('#', 150, 'lorem '), true FROM generate_series(1, 40000) n;
        INSERT INTO messages (conversation, send_id, receive_id, content)
            SELECT 1000 + n % 512, 's' || n % 64, 'r' || n / 64 % 8, rpad('#', 150, 'lorem ')
            FROM generate_series(0, 8191) n;
        CREATE INDEX ON messages (conversation, id);
        CREATE INDEX ON messages (receive_id, send_id) WHERE NOT is_read;
    """
    template: pathlib.Path | None = None

    @staticmethod
    def tool(name: str) -> str:
        folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        return tools.program(name, *folders)

    @staticmethod
    def as_its_user(*command: str) -> list[str]:
        """PostgreSQL refuses to run as root."""
        if os.geteuid():
            return list(command)
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]

    def command(self) -> list[str]:
        data = self.folder / "data"
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        if PostgreSQL.template:
            tools.output_of("cp", "--archive", str(PostgreSQL.template), str(data))
        else:
            tools.output_of(*self.as_its_user(self.tool("initdb"), "--pgdata", str(data), "--username", "bench",
                                              "--auth", "trust", "--encoding", "UTF8", "--locale", "C"))
        return self.as_its_user(
            self.tool("postgres"), "-D", str(data), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
            "-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=256MB",
            "-c", "fsync=on", "-c", "synchronous_commit=on")

    @property
    def url(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=bench dbname=postgres"

    def is_ready(self) -> bool:
        return subprocess.run([self.tool("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0

    def sql(self, text: str) -> None:
        tools.output_of(self.tool("psql"), self.url, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1",
                        "--command", text)

    def version(self) -> str:
        return tools.output_of(self.tool("postgres"), "--version").split()[2]

    @classmethod
    def make_template(cls, folder: pathlib.Path) -> None:
        with cls(folder / "postgres-template") as server:
            server.sql(cls.SCHEMA)
            server.sql("VACUUM (ANALYZE) messages")
            server.sql("CHECKPOINT")
            server.process.send_signal(signal.SIGINT)
            server.process.wait(STOP_SECONDS)
            kept = folder / "postgres-data"
            shutil.move(server.folder / "data", kept)
        cls.template = kept
