"""What `quipu bench` says of the same build: what no peer has a counterpart of, as it prints it."""

import os
import pathlib
import signal
import subprocess

RUN_SECONDS = 180
GROWTH_SECONDS = 420

# Those that this build doesn't have are left out.
COMMANDS = (
    ("replay", ("--floor",)),
    ("latency", ()),
    ("resume", ()),
    ("slow", ()),
)
# Whether anything costs more on a long log: ten million messages take 8 GiB while it runs.
GROWTH = ("growth", ("--history", "10000", "--history", "10000000", "--rounds", "2"))
QUICK_GROWTH = ("growth", ("--history", "4000", "--history", "100000", "--rounds", "1", "--quick"))


def known(binary: str) -> set[str]:
    """The benchmarks that this build has."""
    shown = subprocess.run([binary, "bench", "--help"], capture_output=True, text=True)
    return {line.split()[0] for line in shown.stdout.splitlines() if line.startswith("  ") and line.split()}


def run(binary: str, data: pathlib.Path) -> list[tuple[str, str]]:
    """Each command as it is typed, and what it printed; a sentence in place of what failed."""
    have = known(binary)
    return [one(binary, data, name, options, RUN_SECONDS) for name, options in COMMANDS if name in have]


def growth(binary: str, data: pathlib.Path, quick: bool) -> tuple[str, str] | None:
    """The same work on a short log and on a long one; None if this build can't."""
    name, options = QUICK_GROWTH if quick else GROWTH
    return one(binary, data, name, options, GROWTH_SECONDS) if name in known(binary) else None


def one(binary: str, data: pathlib.Path, name: str, options: tuple[str, ...], seconds: int) -> tuple[str, str]:
    command = ("bench", name, *options)
    # Not killed: then it removes its folder.
    process = subprocess.Popen([binary, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=data,
                               stdin=subprocess.DEVNULL, env=os.environ | {"TMPDIR": str(data)})
    try:
        printed, said = process.communicate(timeout=seconds)
        text = printed if process.returncode == 0 else f"failed: {said.strip()[-500:]}"
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        process.communicate()
        text = f"not done after {seconds} s"
    return "quipu " + " ".join(command), text.strip()
