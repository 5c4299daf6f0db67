"""A session written down as text, `>` for what the client sent and `<` for what it got.

What differs from run to run (offsets, times, ids, tokens) is replaced by what it is, in the text only. With the
environment variable QUIPU_RECORD=1 the committed recordings are written anew instead of being compared.
"""

import difflib
import json
import os
import pathlib
import re

FOLDER = pathlib.Path(__file__).parent / "recordings"

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
VOLATILE = {"offset", "as_of", "ID", "log"}


class Recording:
    def __init__(self, name: str):
        self.path = FOLDER / f"{name}.txt"
        self.lines: list[str] = []

    def step(self, title: str) -> None:
        """A heading: the step of the README that follows."""
        self.lines += ["", f"# {title}"] if self.lines else [f"# {title}"]

    def sent(self, who: str, text: str) -> None:
        self.lines.append(f"{who} > {scrub(text)}")

    def got(self, who: str, text: str) -> None:
        """Notes what came, which is JSON, keeping the order of its fields."""
        self.lines.append(f"{who} < {scrub(json.dumps(normal(json.loads(text)), ensure_ascii=False))}")

    def replied(self, who: str, status: int, body: bytes) -> None:
        text = json.dumps(normal(json.loads(body)), ensure_ascii=False) if body else ""
        self.lines.append(f"{who} < {status} {scrub(text)}".rstrip())

    def check(self, test) -> None:
        """Compares with the committed recording, or writes it."""
        text = "\n".join(self.lines) + "\n"
        if os.environ.get("QUIPU_RECORD") == "1":
            FOLDER.mkdir(exist_ok=True)
            self.path.write_text(text, encoding="utf-8")
            return
        test.assertTrue(self.path.exists(), f"there is no {self.path.name}: run once with QUIPU_RECORD=1 and read it")
        committed = self.path.read_text(encoding="utf-8")
        difference = difflib.unified_diff(committed.splitlines(), text.splitlines(), self.path.name, "now", lineterm="")
        if committed != text:
            test.fail("the session differs from its recording:\n" + "\n".join(difference))


def normal(value):
    """The same JSON with the numbers that differ from run to run replaced."""
    if isinstance(value, list):
        return [normal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: f"<{name}>" if name in VOLATILE and item is not None else normal(item)
            for name, item in value.items()}


def scrub(text: str) -> str:
    return TIME.sub("<time>", JWT.sub("<token>", UUID.sub("<uuid>", text)))
