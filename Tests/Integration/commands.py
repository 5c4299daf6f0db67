"""What the tests of the command line share."""

import unittest

from harness import Server, quipu


class CommandTest(unittest.TestCase):
    def server(self, mode: str = "required", **options) -> Server:
        server = Server(mode=mode, **options)
        self.addCleanup(server.remove)
        return server.start()

    def run_command(self, code: int, *arguments, input: str | None = None, seconds: float = 120) -> str:
        """Runs a command, checks its exit code, and returns what it printed: all if it failed, else its output."""
        ended = quipu(*map(str, arguments), input=input, seconds=seconds)
        printed = ended.stdout + ended.stderr
        self.assertEqual(code, ended.returncode, f"quipu {' '.join(map(str, arguments))}:\n{printed}")
        return printed if code else ended.stdout
