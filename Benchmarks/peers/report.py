"""docs/benchmarks.md, from the runs."""

import dataclasses
import os
import pathlib
import platform
import statistics
import subprocess
from typing import Any

import chart
import tools
from workloads import WORKLOADS, Workload

US = "Quipu"
PLURAL = {"delivery": "deliveries", "message": "messages", "query": "queries", "connection": "connections"}


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is said about the whole run."""

    versions: dict[str, str]
    rounds: int
    quick: bool
    data: pathlib.Path
    seconds: float
    # What `quipu bench` printed, by command.
    own: list[tuple[str, str]]
    growth: tuple[str, str] | None


@dataclasses.dataclass(frozen=True)
class Row:
    """One server in one workload: its good runs, or why there is none."""

    peer: str
    runs: list[dict[str, Any]]
    failed: str

    def best(self, figure: str, less_is_better: bool = True) -> float:
        return (min if less_is_better else max)(run[figure] for run in self.runs)

    def median(self, figure: str) -> float:
        return statistics.median(run[figure] for run in self.runs)

    def has(self, figure: str) -> bool:
        return any(figure in run for run in self.runs)


def number(value: float) -> str:
    """Three figures that mean something, thousands by commas."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def rows_of(workload: Workload, runs: list[dict[str, Any]]) -> list[Row]:
    rows = []
    for peer in workload.peers:
        own = [run for run in runs if run["workload"] == workload.name and run["peer"] == peer]
        good = [run for run in own if "failed" not in run]
        failed = next((run["failed"] for run in own if "failed" in run), "")
        if own:
            rows.append(Row(peer, good, failed))
    return rows


def ratio(workload: Workload, row: Row, us: Row | None) -> str:
    """Quipu's figure in theirs; bold where a server does better, which a floor always does."""
    if not us or not us.runs or row is us:
        return ""
    ours, theirs = (each.best(workload.figure, workload.less_is_better) for each in (us, row))
    if theirs <= 0:
        return ""
    loses = row.peer != "floor" and (ours > theirs if workload.less_is_better else ours < theirs)
    return f"**{ours / theirs:.2f}**" if loses else f"{ours / theirs:.2f}"


def table(workload: Workload, rows: list[Row]) -> list[str]:
    us = next((row for row in rows if row.peer == US), None)
    columns: list[tuple[str, Any]] = [
        (f"{workload.figure_title}: best", lambda row: number(row.best(workload.figure, workload.less_is_better))),
        ("median", lambda row: number(row.median(workload.figure))),
        ("ours / theirs", lambda row: ratio(workload, row, us)),
    ]

    def add(figure: str, title: str, less_is_better: bool = True) -> None:
        if figure != workload.figure and any(row.has(figure) for row in rows):
            columns.append((title, lambda row: number(row.best(figure, less_is_better)) if row.has(figure) else ""))

    add("server_cpu_us", f"server CPU, µs a {workload.unit}")
    if "rate" not in workload.options:
        add("per_second", f"{PLURAL[workload.unit]} a second", less_is_better=False)
    if workload.kind != "fanout" or "rate" in workload.options:
        add("p50_us", "p50, µs")
        add("p99_us", "p99, µs")
    if workload.kind == "fanout":
        add("received_bytes", f"bytes a {workload.unit}")
    if workload.kind == "ingest":
        add("written_bytes", "bytes written a message")
    add("load_cpu_us", "load's CPU, µs")

    lines = ["| | " + " | ".join(title for title, _ in columns) + " |", "| --- |" + " ---: |" * len(columns)]
    for row in rows:
        cells = [text(row) for _, text in columns] if row.runs else [row.failed] + [""] * (len(columns) - 1)
        name = f"**{row.peer}**" if row.peer == US else row.peer
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    notes = [f"{row.peer}: {row.failed} in one round." for row in rows if row.failed and row.runs]
    return lines + ([""] + notes if notes else [])


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=tools.ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def machine(data: pathlib.Path) -> str:
    processor = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), platform.machine())
    pages = pathlib.Path("/proc/meminfo").read_text().split()
    mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    holding = [mount for mount in mounts if data.resolve().is_relative_to(mount[1])]
    system = max(holding, key=lambda mount: len(mount[1]))[2] if holding else "an unknown file system"
    return (f"{processor}, {os.cpu_count()} cores, {int(pages[1]) / 1024 / 1024:.0f} GiB of memory, Linux "
            f"{platform.release()}, data on {system}")


METHOD = """\
One generator, in C (`Benchmarks/peers/load`), drives every server over the loopback with the same loads and the same
contents of 150 bytes. PostgreSQL alone has a second one, on libpq. The server has one core to itself, the generator
another. Each server is started anew for each run, with its data in a folder of its own; servers take turns in rounds,
so that a disturbance doesn't fall on one alone. Given is the best round, of each figure, and of the first the median
too. Server CPU is user and system time of all its threads and child processes, in nanoseconds from the kernel,
between the end of a warm-up and the last answer; the time that the kernel's own threads spend on a disk is in
nobody's figure. The last column is the generator's own CPU.

- **Fan-out.** Every subscriber must get every message of its room once, in each sender's order, or the run fails. A
  message is in flight until it has arrived at every subscriber, and a sender goes on when half of its may be sent:
  the same for servers that acknowledge and for those that don't, and none can run ahead into its own buffers. Quipu's
  and Redis's acknowledgements are counted besides. Quipu delivers only what is flushed to disk; the others keep
  nothing. Quipu's senders are members of their room and hear the other senders too, which isn't counted. Mosquitto's
  WebSockets are those of Debian's build, whose libwebsockets can't be polled along with the rest, which its authors
  say may cost latency. At a rate, messages are sent when they are due, and latency counts from then.
- **Durable ingest.** Every acknowledgement comes after the flush that its message is in: Redis `XADD` with
  `appendfsync always`, JetStream with `sync_interval: always`, PostgreSQL a transaction for each message (with both
  indexes) and `synchronous_commit on`. Quipu's four views, which take in every message too, share its core. The least
  is raw LMDB, with as many messages a transaction as are in flight. Bytes written are what the kernel counts for the
  process (`write_bytes`).
- **Queries.** History is asked for by 8 clients, one query at a time each, from conversations of 5,000 messages:
  Redis `XREVRANGE`, PostgreSQL by an index on conversation and id, Quipu type 2 without marking as read. Unread
  counts: PostgreSQL groups an index of what is unread, Quipu type 4. The number of rows is checked.
- **Idle sockets.** 10,000 sockets, opened 64 at a time, each through the whole opening of its protocol. Memory is
  what the server's resident set grew by.
- **floor** is the least that the kernel allows for the same work in the same round: for fan-out a program of 150
  lines that copies records, as long as Quipu's deliveries, to as many sockets, one write a batch; for ingest raw
  LMDB.
- **uWebSockets** is a room server of 20 lines in C on the library inside the Python package socketify. Its loop is
  libuv's, and it publishes at the end of a turn of it, which is the library's fastest way. KurrentDB, Centrifugo and
  strfry are in neither Debian nor PyPI and are left out.
"""


def write(folder: pathlib.Path, runs: list[dict[str, Any]], facts: Facts) -> None:
    dirty = git("status", "--porcelain", "--", "Sources", "Package.swift", "Package.resolved")
    commit = git("rev-parse", "--short=12", "HEAD") + (", with changes that aren't committed" if dirty else "")
    named = ", ".join(f"{peer} {version}" for peer, version in facts.versions.items() if peer != US)
    lines = ["# Benchmarks", "",
             "<!-- Made by Benchmarks/run; edit Benchmarks/peers/report.py instead. -->", "",
             f"Quipu at commit {commit}, beside other servers on one machine in one run"
             f"{', a quick one whose figures mean little' if facts.quick else ''}. What counts is the ratio in one "
             "run, ours / theirs, of the first column; it is bold where we lose.", "",
             f"- Machine: {machine(facts.data)}",
             f"- Versions: {named}",
             f"- Rounds: {facts.rounds}; it took {facts.seconds / 60:.0f} min. Again: `Benchmarks/run`", "",
             "![Each server's figure in each workload](benchmarks.svg)", ""]
    charts = []
    for workload in WORKLOADS:
        rows = rows_of(workload, runs)
        if not rows:
            continue
        lines += [f"## {workload.title}", "", *table(workload, rows), ""]
        bars = [(row.peer, row.best(workload.figure, workload.less_is_better)) for row in rows if row.runs]
        charts.append(chart.Panel(workload.title, workload.figure_title, workload.less_is_better, bars))
    if facts.growth:
        command, text = facts.growth
        lines += ["## On a long log", "", "The same work on a log of few messages and of many: cost must not grow "
                  "with history. The last column says how many times as dear each thing is on the long log; start-up "
                  "is that of a server in good order.", "", f"`{command}`", "", "```", text, "```", ""]
    if facts.own:
        lines += ["## By Quipu's own bench", "", "What no other server here has a counterpart of, on both cores.", ""]
        for command, text in facts.own:
            lines += [f"`{command}`", "", "```", text, "```", ""]
    lines += ["## Method", "", METHOD]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text("\n".join(lines))
    (folder / "benchmarks.svg").write_text(chart.svg(charts, US))
