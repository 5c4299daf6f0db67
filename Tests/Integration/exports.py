"""Exports and those who verify them: our own `quipu audit verify`, and the Go program in Tests/GoVerifier."""

import functools
import json
import os
import pathlib
import subprocess
import tempfile

from harness import quipu

ROOT = pathlib.Path(__file__).resolve().parents[2]
GO_SOURCES = "/usr/share/gocode"


@functools.cache
def go_verifier() -> str:
    """Builds the Go program from the sources that Debian ships, and returns its path."""
    folder = ROOT / ".build" / "go"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "verifier"
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": GO_SOURCES, "GOCACHE": str(folder / "cache")}
    built = subprocess.run(["go", "build", "-o", path, "."], cwd=ROOT / "Tests" / "GoVerifier", env=environment,
                           capture_output=True, text=True, timeout=300)
    if built.returncode:
        raise RuntimeError(f"the Go verifier isn't built; are golang-go and golang-golang-x-mod-dev installed?\n"
                           f"{built.stderr}")
    return str(path)


class Verdict:
    """What both verifiers say of a folder; they must agree."""

    def __init__(self, folder: pathlib.Path, key: str):
        ours = quipu("audit", "verify", str(folder), "--key", key, "--json", seconds=300)
        go = subprocess.run([go_verifier(), str(folder), key], capture_output=True, text=True, timeout=300)
        self.codes = (ours.returncode, go.returncode)
        self.printed = f"ours: {ours.stdout}{ours.stderr}Go: {go.stdout}{go.stderr}"
        self.report = json.loads(ours.stdout) if ours.stdout else {}


class Export:
    """A folder that `quipu audit export` has written."""

    def __init__(self, test, data: pathlib.Path, *options: str, seconds: float = 300):
        self.test = test
        self.parent = tempfile.TemporaryDirectory(prefix="quipu-export-")
        test.addCleanup(self.parent.cleanup)
        self.folder = pathlib.Path(self.parent.name) / "export"
        ended = quipu("audit", "export", str(self.folder), "--data", str(data), "--json", *options, seconds=seconds)
        test.assertEqual(0, ended.returncode, ended.stderr)
        self.summary = json.loads(ended.stdout)
        self.key = self.summary["key"]

    def path(self, name: str) -> pathlib.Path:
        return self.folder / name

    @property
    def files(self) -> list[str]:
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path) for path in found)

    def lines(self, name: str = "events.jsonl") -> list[dict]:
        # Not splitlines(): Python counts U+2028 and other characters as the end of a line.
        return [json.loads(line) for line in self.path(name).read_text(encoding="utf-8").split("\n") if line]

    def accepted(self) -> dict:
        verdict = Verdict(self.folder, self.key)
        self.test.assertEqual((0, 0), verdict.codes, verdict.printed)
        self.test.assertEqual("verified", verdict.report["result"])
        return verdict.report

    def refused(self, why: str, key: str | None = None) -> dict:
        verdict = Verdict(self.folder, key or self.key)
        self.test.assertEqual((1, 1), verdict.codes, f"{why}\n{verdict.printed}")
        self.test.assertEqual("refuted", verdict.report["result"], why)
        return verdict.report

    def refused_with(self, name: str, data: bytes | None, why: str) -> dict:
        """The export with another content of a file, or without it, is refused; then it is as before."""
        path = self.path(name)
        before = path.read_bytes()
        try:
            if data is None:
                path.unlink()
            else:
                self.test.assertNotEqual(before, data, why)
                path.write_bytes(data)
            return self.refused(why)
        finally:
            path.write_bytes(before)

    def refused_with_byte(self, name: str, position: int, value: int, why: str) -> dict:
        """As above, for one byte of a file that may be large."""
        with open(self.path(name), "r+b") as file:
            file.seek(position)
            before = file.read(1)
            self.test.assertNotEqual(before[0], value, why)
            try:
                file.seek(position)
                file.write(bytes([value]))
                file.flush()
                return self.refused(why)
            finally:
                file.seek(position)
                file.write(before)
