"""The work, the same for every server that can do it, and how one run of it on one of them goes."""

import dataclasses
import json
import pathlib
import subprocess
from typing import Any

import servers
import tools
from servers import LOAD_CORE, SERVER_CORE, Server, pinned
from tools import Unavailable

RUN_SECONDS = 180
MESSAGE_BYTES = 150
HISTORY_MESSAGES = 5_000

# Clients of PostgreSQL prepare these; $1 is the client's number, $2 its sender, $3 its receiver, $4 a content.
INSERT = ("INSERT INTO messages (conversation, send_id, receive_id, content) "
          "VALUES (2000 + $1::bigint, $2, $3, $4)")
HISTORY = ("SELECT id, created_at, send_id, receive_id, content, is_read FROM messages "
           "WHERE conversation = $1::bigint ORDER BY id DESC LIMIT {rows}")
UNREAD = ("SELECT send_id, count(*) FROM messages WHERE receive_id = $3 AND NOT is_read "
          "GROUP BY send_id ORDER BY send_id")


@dataclasses.dataclass(frozen=True)
class Workload:
    """One kind of work. `options` are the load generator's."""

    name: str
    title: str
    unit: str
    kind: str
    peers: dict[str, type[Server]]
    options: dict[str, Any]
    # The figure that the chart shows and that ratios are made of, and whether less of it is better.
    figure: str = "server_cpu_us"
    figure_title: str = "server CPU, µs"
    less_is_better: bool = True
    milliseconds: int = 1500


FANOUT = {"Quipu": servers.Quipu, "floor": servers.Floor, "Redis": servers.Redis, "NATS": servers.NATS,
          "uWebSockets": servers.UWebSockets, "Mosquitto": servers.Mosquitto}
INGEST = {"Quipu": servers.Quipu, "floor": servers.Floor, "Redis Streams": servers.RedisStreams,
          "JetStream": servers.JetStream, "PostgreSQL": servers.PostgreSQL}
HISTORIES = {"Quipu": servers.Quipu, "Redis Streams": servers.RedisStreams, "PostgreSQL": servers.PostgreSQL}
IDLE = {"Quipu": servers.Quipu, "NATS": servers.NATSWebSocket, "uWebSockets": servers.UWebSockets,
        "Mosquitto": servers.Mosquitto}

RATE = {"figure": "per_second", "figure_title": "messages a second", "less_is_better": False}

WORKLOADS = (
    Workload("fanout-1000", "Fan-out: 8 senders, a room of 1,000, 64 in flight each", "delivery", "fanout", FANOUT,
             {"senders": 8, "subscribers": 1000, "window": 64}),
    Workload("fanout-100", "Fan-out: 1 sender, a room of 100, 64 in flight", "delivery", "fanout", FANOUT,
             {"senders": 1, "subscribers": 100, "window": 64}),
    Workload("rooms-10", "Fan-out: 100 rooms of 10, a sender with one in flight in each", "delivery", "fanout", FANOUT,
             {"rooms": 100, "senders": 1, "subscribers": 10, "window": 1}),
    Workload("quiet-100", "Fan-out, quiet: 200 messages/s to a room of 100, 20,000 deliveries/s", "delivery", "fanout",
             FANOUT, {"senders": 1, "subscribers": 100, "window": 1024, "rate": 200}, milliseconds=3000),
    Workload("ingest-64x16", "Durable ingest: 64 senders, 16 in flight each", "message", "ingest", INGEST,
             {"connections": 64, "window": 16}, **RATE),
    Workload("ingest-64x1", "Durable ingest: 64 senders, 1 in flight each", "message", "ingest", INGEST,
             {"connections": 64, "window": 1}, **RATE),
    Workload("ingest-1x1", "Durable ingest: one sender, one in flight", "message", "ingest", INGEST,
             {"connections": 1, "window": 1}, figure="p50_us", figure_title="ack p50, µs"),
    Workload("history-1000", "History: 1,000 messages, newest first", "query", "history", HISTORIES,
             {"connections": 8, "rows": 1000}),
    Workload("history-50", "History: 50 messages, newest first", "query", "history", HISTORIES,
             {"connections": 8, "rows": 50}),
    Workload("unread", "Unread counts by sender: 64 senders, 16 unread of each", "query", "unread",
             {"Quipu": servers.Quipu, "PostgreSQL": servers.PostgreSQL}, {"connections": 8, "rows": 64}),
    Workload("idle", "Idle WebSockets: memory of each", "connection", "idle", IDLE, {"connections": 10_000},
             figure="rss_each_bytes", figure_title="memory each, bytes"),
)

# What an asker asks, by protocol; %u is its number.
QUESTIONS = {
    ("quipu", "history"): '{{"type":2,"to":"s%u","limit":{rows},"mark":false}}',
    ("quipu", "unread"): '{{"type":4}}',
    ("redis-streams", "history"): "XREVRANGE r%u + - COUNT {rows}",
}


def run_program(core: int, *command: str) -> dict[str, Any]:
    """Runs a load to its end; its last line is what it measured."""
    try:
        done = subprocess.run(pinned(core, *command), capture_output=True, text=True, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"not done after {RUN_SECONDS} s") from error
    if done.returncode < 0:
        raise Unavailable(f"{command[0]} was ended by signal {-done.returncode}")
    if done.returncode:
        raise Unavailable(tools.tail(done.stderr))
    return json.loads(done.stdout)


def words(options: dict[str, Any]) -> list[str]:
    return [text for name, value in options.items() for text in (f"--{name}", str(value))]


def load(kind: str, server: Server, options: dict[str, Any], *more: str) -> dict[str, Any]:
    basis = {"wire": server.wire, "port": server.port, "server": server.pid}
    return run_program(LOAD_CORE, tools.load_generator(), kind, *words(basis | options), *more)


def load_postgres(server: servers.PostgreSQL, sql: str, options: dict[str, Any]) -> dict[str, Any]:
    basis = {"url": server.url, "server": server.pid, "sql": sql}
    return run_program(LOAD_CORE, tools.postgres_load(), *words(basis | options))


def fanout(server: Server, workload: Workload, options: dict[str, Any]) -> dict[str, Any]:
    rooms, senders = options.get("rooms", 1), options["senders"]
    names = server.prepare_rooms(rooms, senders, options["subscribers"])
    return load("fanout", server, options | {"bytes": MESSAGE_BYTES}, *names)


def ingest(server: Server, workload: Workload, options: dict[str, Any]) -> dict[str, Any]:
    server.prepare_ingest()
    options = options | {"bytes": MESSAGE_BYTES}
    if isinstance(server, servers.PostgreSQL):
        return load_postgres(server, INSERT, options)
    return load("requests", server, options)


def fill(server: Server, options: dict[str, Any]) -> None:
    fixed = {"window": 64, "warmup": 0, "bytes": MESSAGE_BYTES, "milliseconds": RUN_SECONDS * 1000}
    load("requests", server, fixed | options)


def query(server: Server, workload: Workload, options: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL's table is full already; the others are filled with as much first."""
    if isinstance(server, servers.PostgreSQL):
        sql = HISTORY.format(rows=options["rows"]) if workload.kind == "history" else UNREAD
        return load_postgres(server, sql, options | {"bytes": 0})
    if workload.kind == "history":
        fill(server, {"connections": options["connections"], "messages": HISTORY_MESSAGES})
    else:
        fill(server, {"connections": 64, "receivers": options["connections"],
                      "messages": 16 * options["connections"]})
    question = QUESTIONS[server.wire, workload.kind].format(rows=options["rows"])
    return load("requests", server, options | {"question": question})


def idle(server: Server, workload: Workload, options: dict[str, Any]) -> dict[str, Any]:
    return load("idle", server, {name: value for name, value in options.items() if name != "milliseconds"})


def ingest_floor(workload: Workload, options: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
    """Transactions of as many messages as are in flight: no server could put more into one."""
    folder.mkdir()
    batch = options["connections"] * options["window"]
    return run_program(SERVER_CORE, tools.floor_lmdb(), *words(
        {"folder": folder, "batch": batch, "bytes": MESSAGE_BYTES, "milliseconds": options["milliseconds"]}))


RUNS = {"fanout": fanout, "ingest": ingest, "history": query, "unread": query, "idle": idle}


def measure(workload: Workload, peer: str, folder: pathlib.Path, scale: float) -> dict[str, Any]:
    """One run of `workload` on a server started for it."""
    options = dict(workload.options) | {"milliseconds": max(200, int(workload.milliseconds * scale))}
    if workload.kind == "idle":
        options["connections"] = int(options["connections"] * min(1, scale))
    if peer == "floor" and workload.kind == "ingest":
        return ingest_floor(workload, options, folder / "floor")
    # Only ingest measures what reaching the disk costs; a history is filled without waiting for it.
    with workload.peers[peer](folder / "server", durable=workload.kind == "ingest") as server:
        return RUNS[workload.kind](server, workload, options)


