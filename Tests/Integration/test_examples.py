"""The example clients of docs/protocol.md, run against the real server through a kill, a stop and a lost log.

They are what the page says: at most thirty lines each. Without `node` or its package `ws` the test fails.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest

from harness import Server, wait_for
from texts import texts
import tokens

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"
LINES = 30
EACH = 40
SECONDS = 40
# Where Debian's packages lie, which a node from elsewhere doesn't look at.
DEBIAN_MODULES = "/usr/share/nodejs"


class Example:
    """A client as a process, and the lines that it has printed."""

    def __init__(self, *command: str):
        paths = os.pathsep.join(filter(None, [os.environ.get("NODE_PATH"), DEBIAN_MODULES]))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                                        env=os.environ | {"NODE_PATH": paths, "PYTHONUTF8": "1"})
        self.lines: list[str] = []
        self.complaints: list[str] = []
        self.threads = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.complaints))]
        for thread in self.threads:
            thread.start()

    def read(self, stream, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Examples(unittest.TestCase):
    def test_python(self):
        self.run_example("resume.py", sys.executable)

    def test_javascript(self):
        node = shutil.which("node")
        self.assertIsNotNone(node, "there is no node: install the packages nodejs and node-ws")
        self.run_example("resume.js", node)

    def run_example(self, name: str, interpreter: str) -> None:
        path = FOLDER / name
        self.assertLessEqual(len(path.read_text(encoding="utf-8").splitlines()), LINES, f"lines of {path}")
        # With a key from the configuration a token outlives the data folder.
        self.config = {"auth": {"jwt_key": "k" * 40}}
        # The other log has its accounts first: a token from before an account was made isn't that account's.
        other = Server(self.config).start()
        self.addCleanup(other.remove)
        others = {who: other.account(who) for who in ("ann", "bob")}
        self.assertEqual(0, other.stop(), other.printed)
        server = Server(self.config).start()
        self.addCleanup(server.remove)
        # The client knows one address, so a server that comes back has to be there.
        server.options = ("--port", str(server.port))
        held = {who: server.account(who) for who in ("ann", "bob")}
        self.words = (text.replace("\n", " ").replace("\r", " ") for text in texts(30))
        self.said: list[str] = []
        self.example = Example(interpreter, str(path), server.url("/ws"), self.lasting(held["bob"]))
        self.addCleanup(self.example.stop)

        self.wait_until_there(server, held["ann"])
        self.say(server, held["ann"])
        self.wait_for_all("live")
        # What is written while the server dies, and before the client is back.
        self.say(server, held["ann"])
        server.kill()
        server.start()
        self.say(server, held["ann"])
        self.wait_for_all("after kill -9")
        self.assertEqual(0, server.stop(), server.printed)
        server.start()
        self.say(server, held["ann"])
        self.wait_until_there(server, held["ann"])
        self.say(server, held["ann"])
        self.wait_for_all("after a stop")

        # A data folder that is lost: another log, of which the client's position means nothing.
        server.stop()
        other.options = server.options
        other.start()
        self.say(other, others["ann"])
        self.wait_for_all("from the beginning of another log")
        self.say(other, others["ann"])
        self.wait_for_all("live in another log")

    def lasting(self, token: str) -> str:
        """A token of somebody who has the key: for whoever has the name in any log, not for one account alone."""
        key = self.config["auth"]["jwt_key"].encode()
        _, claims = tokens.verify(token, key)
        del claims["id"]
        return tokens.sign(claims, key)

    def wait_until_there(self, server: Server, token: str) -> None:
        def is_there() -> bool:
            self.assert_running()
            return "bob" in session.ask({"type": 8, "to": "bob"})["content"]
        with server.session(token) as session:
            wait_for(is_there, "the client to connect", SECONDS)

    def say(self, server: Server, token: str) -> None:
        with server.session(token) as session:
            for _ in range(EACH):
                content = f"{len(self.said)} {next(self.words)}"
                self.assertIn(session.ask({"type": 1, "to": "bob", "content": content})["code"], (50002, 50003))
                self.said.append(f"ann: {content}")

    def wait_for_all(self, when: str) -> None:
        """Every message once and in order, and nothing else."""
        def are_there() -> bool:
            self.assert_running()
            return len(self.example.lines) >= len(self.said)
        try:
            wait_for(are_there, f"all messages, {when}", SECONDS)
        finally:
            self.assertEqual(self.said[:len(self.example.lines)], self.example.lines[:len(self.said)],
                             f"{when}: {self.example.complaints}")
        self.assertEqual(self.said, self.example.lines, when)

    def assert_running(self) -> None:
        self.assertIsNone(self.example.process.poll(), f"the client ended: {self.example.complaints}")


if __name__ == "__main__":
    unittest.main()
