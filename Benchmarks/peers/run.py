#!/usr/bin/env python3
"""Measures Quipu and its peers with one load generator, and writes docs/benchmarks.md with its chart.

    Benchmarks/peers/run.py --quipu PATH              everything
    Benchmarks/peers/run.py --quipu PATH --quick      small, to see that it works: the figures mean little
    Benchmarks/peers/run.py --quipu PATH --only fanout-100 --peers Quipu,Redis

Rounds: each server is measured once, then each again, so that a disturbance doesn't fall on one of them alone. Every
run is a line of JSON in .build/benchmarks/runs.jsonl.
"""

import argparse
import json
import pathlib
import resource
import shutil
import sys
import tempfile
import time
from typing import Any

import network
import own
import report
import servers
import tools
from workloads import WORKLOADS, Workload, measure

QUICK_SCALE = 0.2


def arguments_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quipu", help="the release build; without it Quipu is left out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, a fifth of the time each")
    parser.add_argument("--only", help="names of workloads, by commas")
    parser.add_argument("--peers", help="names of servers, by commas")
    parser.add_argument("--data", help="where the servers' folders go; a disk, as durability is measured",
                        default=tempfile.gettempdir())
    parser.add_argument("--output", type=pathlib.Path, default=tools.ROOT / "docs",
                        help="the folder of benchmarks.md and benchmarks.svg")
    return parser.parse_args()


def chosen(arguments: argparse.Namespace) -> list[tuple[Workload, list[str]]]:
    only = arguments.only.split(",") if arguments.only else [workload.name for workload in WORKLOADS]
    unknown = set(only) - {workload.name for workload in WORKLOADS}
    if unknown:
        sys.exit(f"There is no workload {', '.join(sorted(unknown))}; there are "
                 f"{', '.join(workload.name for workload in WORKLOADS)}.")
    wanted = arguments.peers.split(",") if arguments.peers else None
    return [(workload, [peer for peer in workload.peers if not wanted or peer in wanted])
            for workload in WORKLOADS if workload.name in only]


def attempt(workload: Workload, peer: str, folder: pathlib.Path, scale: float) -> dict[str, Any]:
    if peer == "Quipu" and not servers.Quipu.binary:
        return {"failed": "not available: no --quipu was given"}
    try:
        return measure(workload, peer, folder, scale)
    except tools.Unavailable as reason:
        return {"failed": f"not available: {reason}"}
    except Exception as error:  # One server's trouble must not take the others' figures along.
        return {"failed": f"not measured: {type(error).__name__}: {error}"}


def run_all(plan: list[tuple[Workload, list[str]]], rounds: int, scale: float, folder: pathlib.Path) -> list[dict]:
    runs: list[dict[str, Any]] = []
    hopeless: set[tuple[str, str]] = set()
    with (tools.BUILD / "runs.jsonl").open("w") as lines:
        for number in range(1, rounds + 1):
            for workload, peers in plan:
                for peer in peers:
                    if (workload.name, peer) in hopeless:
                        continue
                    start = time.monotonic()
                    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
                    place.chmod(0o755)
                    figures = attempt(workload, peer, place, scale)
                    shutil.rmtree(place, ignore_errors=True)
                    run = {"workload": workload.name, "peer": peer, "round": number} | figures
                    if "failed" in figures:
                        hopeless.add((workload.name, peer))
                    elif peer == "Quipu" and workload.kind == "fanout":
                        servers.Floor.record_bytes = round(figures["received_bytes"])
                    runs.append(run)
                    print(json.dumps(run), file=lines, flush=True)
                    said = figures.get("failed") or f"{figures['server_cpu_us']:.3f} µs, {figures['per_second']:,.0f}/s"
                    print(f"round {number}  {workload.name:13} {peer:14} {said}  "
                          f"[{time.monotonic() - start:.1f} s]", file=sys.stderr, flush=True)
    return runs


def versions(plan: list[tuple[Workload, list[str]]]) -> dict[str, str]:
    """Of each program that was asked for, by the first name that it has in the tables."""
    kinds = {peer: workload.peers[peer] for workload, peers in plan for peer in peers if peer != "floor"}
    programs = {kind.version: (peer, kind) for peer, kind in reversed(kinds.items())}
    found = {}
    for peer, kind in reversed(programs.values()):
        try:
            found[peer] = kind(pathlib.Path()).version()
        except (tools.Unavailable, OSError, TypeError) as reason:
            found[peer] = f"not available: {reason}"
    return found


def main() -> None:
    arguments = arguments_of()
    plan = chosen(arguments)
    # Ten thousand connections are as many files, in this process's children.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments.quipu:
        servers.Quipu.binary = str(pathlib.Path(arguments.quipu).resolve(strict=True))
    tools.BUILD.mkdir(parents=True, exist_ok=True)
    tools.install()
    network.enter()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="quipu-peers-", dir=arguments.data) as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        if any("PostgreSQL" in peers for _, peers in plan):
            try:
                servers.PostgreSQL.make_template(folder)
            except (tools.Unavailable, OSError) as reason:
                print(f"PostgreSQL: {reason}", file=sys.stderr)
        rounds, scale = (1, QUICK_SCALE) if arguments.quick else (arguments.rounds, 1.0)
        runs = run_all(plan, rounds, scale, folder)
        ours = servers.Quipu.binary and not arguments.only
        whole = ours and not arguments.quick
        facts = report.Facts(versions=versions(plan), rounds=rounds, quick=arguments.quick, data=folder,
                             own=own.run(servers.Quipu.binary, folder) if whole else [],
                             growth=own.growth(servers.Quipu.binary, folder, arguments.quick) if ours else None,
                             seconds=time.monotonic() - start)
        report.write(arguments.output, runs, facts)


if __name__ == "__main__":
    main()
