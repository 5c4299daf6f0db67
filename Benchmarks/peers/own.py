"""What `quipu bench` says of the same build: what no peer has a counterpart of, as it prints it."""

import os
import pathlib
import subprocess

RUN_SECONDS = 180

# Those that this build doesn't have are left out.
COMMANDS = (
    ("replay", ("--floor",)),
    ("latency", ()),
    ("resume", ()),
    ("slow", ()),
)


def known(binary: str) -> set[str]:
    """The benchmarks that this build has."""
    shown = subprocess.run([binary, "bench", "--help"], capture_output=True, text=True)
    return {line.split()[0] for line in shown.stdout.splitlines() if line.startswith("  ") and line.split()}


def run(binary: str, data: pathlib.Path) -> list[tuple[str, str]]:
    """Each command as it is typed, and what it printed; a sentence in place of what failed."""
    results = []
    have = known(binary)
    for name, options in COMMANDS:
        if name not in have:
            continue
        command = ("bench", name, *options)
        try:
            done = subprocess.run([binary, *command], capture_output=True, text=True, timeout=RUN_SECONDS, cwd=data,
                                  stdin=subprocess.DEVNULL, env=os.environ | {"TMPDIR": str(data)})
            text = done.stdout if done.returncode == 0 else f"failed: {done.stderr.strip()[-500:]}"
        except subprocess.TimeoutExpired:
            text = f"not done after {RUN_SECONDS} s"
        results.append(("quipu " + " ".join(command), text.strip()))
    return results
