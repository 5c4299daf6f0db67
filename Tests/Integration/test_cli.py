"""The command line: one server a folder, the configuration, accounts, and the exit codes."""

import json
import os
import pathlib
import subprocess
import unittest

from commands import CommandTest
from harness import PASSWORD, STOP_SECONDS, Server, binary, environment
from sockets import assert_code


class CommandLine(CommandTest):
    def refuses_to_serve(self, config: dict | None, *options: str) -> str:
        """Starts a server that must not start, and returns what it says."""
        server = Server()
        self.addCleanup(server.remove)
        path = server.folder / "config.json"
        path.write_text(json.dumps(config or {}))
        ended = subprocess.run(
            [binary(), "serve", "--config", path, "--data", server.data, "--port", "0", *options],
            capture_output=True, encoding="utf-8", timeout=STOP_SECONDS, env=environment())
        self.assertIn(ended.returncode, (1, 2), ended.stdout + ended.stderr)
        return ended.stdout + ended.stderr

    def test_a_folder_has_one_server(self):
        server = self.server()
        printed = self.run_command(1, "serve", "--data", server.data, "--port", "0")
        self.assertIn(str(server.process.pid), printed, "it names the first")
        self.assertLessEqual(len(printed.strip().splitlines()), 3, f"a clear sentence:\n{printed}")
        self.assertEqual(200, server.request("GET", "/ping").status)
        # The lock dies with its process, however that dies.
        server.kill()
        server.start()
        self.assertEqual(0, server.stop())

    def test_the_banner(self):
        server = self.server()
        self.assertIn(str(server.data), server.printed)
        # What gives power over the server is its owner's alone: the key of the tokens, the control socket.
        for kind, found in [("key", lambda path: "key" in path.name), ("socket", pathlib.Path.is_socket)]:
            paths = [path for path in server.data.rglob("*") if found(path)]
            self.assertTrue(paths, f"a {kind} in the data folder")
            for path in paths:
                self.assertEqual(0, path.lstat().st_mode & 0o077, f"{path.name}: {path.lstat().st_mode:o}")
        self.assertIn("open", self.server("open").printed)

    def test_what_it_will_not_start_with(self):
        printed = self.refuses_to_serve({"limits": {"content_byte": 100}})
        self.assertIn("content_byte", printed)
        self.assertIn("content_bytes", printed, "the nearest known key")
        self.assertIn("limits", self.refuses_to_serve({"limit": {"content_bytes": 100}}))
        self.assertIn("frame_bytes", self.refuses_to_serve({"limits": {"frame_bytes": 70_000}}))
        self.assertIn("port", self.refuses_to_serve({"server": {"port": 65_536}}))
        printed = self.refuses_to_serve({"auth": {"mode": "open"}, "server": {"address": "0.0.0.0"}})
        self.assertIn("--insecure", printed)
        self.assertIn("--insecure", self.refuses_to_serve({}, "--auth", "open", "--address", "0.0.0.0"))
        self.refuses_to_serve({"auth": {"jwt_key": "short"}})

    def test_what_overrides_what(self):
        """The seeds' config.json works; the environment beats the file, the command line beats both."""
        server = Server({"mysql": {"host": "db", "password": "not for the log"}, "server": {"address": "127.0.0.1"}})
        self.addCleanup(server.remove)
        os.environ["QUIPU_LIMITS_CONTENT_BYTES"] = "10"
        try:
            server.options = ("--auth", "open")
            server.start()
        finally:
            del os.environ["QUIPU_LIMITS_CONTENT_BYTES"]
        self.assertIn("mysql", server.printed, "a warning says that the section is ignored")
        self.assertNotIn("not for the log", server.printed)
        with server.conversation("a", "b") as socket:
            assert_code(self, 50003, socket.ask({"type": 1, "content": "x" * 10}))
            assert_code(self, 50023, socket.ask({"type": 1, "content": "x" * 11}))
        self.assertEqual(0, server.stop())

    def test_usage(self):
        for arguments in ([], ["--help"], ["serve", "--help"], ["replay", "--help"], ["audit", "--help"],
                          ["audit", "list", "--help"], ["user", "add", "--help"], ["bench", "--help"]):
            self.assertIn("quipu", self.run_command(0, *arguments))
        for arguments in (["fly"], ["serve", "--prot", "1"], ["serve", "--port", "x"], ["serve", "--auth", "maybe"],
                          ["user", "add"], ["replay", "--to", "5"], ["audit", "list", "--limit", "x"],
                          ["audit", "list", "--format", "xml"], ["replay", "--view", "no such view"]):
            self.run_command(2, *arguments)

    def test_user_add(self):
        server = self.server()
        server.account("ann")
        for running in (True, False):
            name = f"added {running}"
            self.run_command(0, "user", "add", name, "--password-stdin", "--data", server.data, input="пароль 1\n")
            self.run_command(1, "user", "add", name, "--password-stdin", "--data", server.data, input="пароль 1\n")
            self.run_command(2, "user", "add", "a/b", "--password-stdin", "--data", server.data, input="x\n")
            self.run_command(2, "user", "add", "late", "--password-stdin", "--data", server.data, input="x" * 73 + "\n")
            if running:
                self.assertEqual(200, server.login(name, "пароль 1").status)
                self.assertEqual(0, server.stop())
        server.start()
        self.assertEqual(200, server.login("added False", "пароль 1").status)
        self.assertEqual(401, server.login("added False", "пароль 1\n").status)
        self.assertEqual(400, server.login("late", "x").status)
        for secret in ("пароль 1", PASSWORD):
            for path in server.data.rglob("*"):
                if path.is_file():
                    self.assertNotIn(secret.encode(), path.read_bytes(), f"{path.name} holds a password")


if __name__ == "__main__":
    unittest.main()
