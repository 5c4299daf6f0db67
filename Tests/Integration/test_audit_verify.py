"""`quipu audit verify` of a data folder: intact, beside a server under load, damaged at random, cut off, tampered."""

import fcntl
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import unittest

from commands import CommandTest
from harness import Server, binary, environment, quipu, wait_for
from sockets import assert_code
from texts import texts
from traffic import Traffic

PAGE = 4_096
FLIPS = 120
SEED = int(os.environ.get("QUIPU_SEED", "7"))


class AuditVerify(CommandTest):
    def fill(self, server: Server, steps: int) -> None:
        words = texts(9)
        traffic = Traffic(self, server, ["ann", "bob", "eve"], random.Random(SEED), lambda: next(words))
        for number in range(steps):
            traffic.step(("ann", "bob", "eve")[number % 3])
        for socket in traffic.sockets.values():
            socket.close()

    def verify(self, code: int, data, *options: str) -> dict:
        ended = quipu("audit", "verify", "--data", str(data), "--json", *options, seconds=300)
        self.assertEqual(code, ended.returncode, ended.stdout + ended.stderr)
        return json.loads(ended.stdout)

    def test_intact_with_and_without_a_server(self):
        server = self.server()
        self.fill(server, 300)
        beside = self.verify(0, server.data)
        self.assertEqual("verified", beside["outcome"])
        self.assertEqual([True] * 4, [view["identical"] for view in beside["views"]])
        old = server.folder / "old.txt"
        old.write_text(beside["checkpoint"])
        self.fill_more(server)
        self.assertEqual(0, server.stop())
        key = server.printed.split("verifier key: ")[1].split()[0]
        later = self.verify(0, server.data, "--checkpoint", str(old), "--key", key)
        self.assertEqual([True], [found["continued"] for found in later["checkpoints"]])
        self.assertGreater(later["head"]["size"], beside["head"]["size"])
        printed = self.run_command(0, "audit", "verify", "--data", server.data, "--log-only")
        self.assertIn("\nverified\n", printed)
        self.assertIn(later["head"]["root"], printed)
        self.assertEqual([], list(server.data.glob("verify-*")))
        self.run_command(2, "audit", "verify", "--data", server.folder / "nothing")
        self.run_command(2, "audit", "verify", "--data", server.data, "--checkpoint", server.folder / "nothing")
        self.run_command(1, "audit", "verify", "--data", server.data, "--checkpoint", server.data / "audit.key")

    def fill_more(self, server: Server) -> None:
        token = server.account("zoe")
        with server.session(token) as socket:
            for number in range(20):
                assert_code(self, (50002, 50003), socket.ask({"type": 1, "to": "ann", "content": f"more {number}"}))

    def test_under_load(self):
        server = self.server()
        self.fill(server, 200)
        tokens = {name: server.account(name) for name in ("kim", "lou")}
        stop = threading.Event()
        sent, failures = [], []

        def load(me: str, peer: str) -> None:
            try:
                with server.session(tokens[me]) as socket:
                    while not stop.is_set():
                        for number in range(50):
                            socket.send({"type": 1, "to": peer, "content": f"load {number}"})
                        sent.extend(socket.reply()["offset"] for _ in range(50))
                        socket.delivered.clear()
            except BaseException as error:
                failures.append(repr(error))
        threads = [threading.Thread(target=load, args=pair) for pair in (("kim", "lou"), ("lou", "kim"))]
        for thread in threads:
            thread.start()
        try:
            sizes, last = [], None
            for _ in range(6):
                wait_for(lambda: len(sent) > 200 * len(sizes), "messages to be sent")
                options = ["--checkpoint", str(last)] if last else []
                found = self.verify(0, server.data, *options)
                self.assertEqual([], found["faults"])
                sizes.append(found["head"]["size"])
                last = server.folder / f"checkpoint-{len(sizes)}"
                last.write_text(found["checkpoint"])
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], failures[:3])
        self.assertEqual(sorted(set(sizes)), sizes, "each time there was more")
        self.assertEqual(0, server.stop())
        self.assertEqual([True], [found["continued"] for found in
                                  self.verify(0, server.data, "--checkpoint", str(last))["checkpoints"]])

    def events(self, data) -> bytes | None:
        """What an auditor is shown, nil if that fails."""
        ended = subprocess.run([binary(), "audit", "list", "--format", "json", "--data", str(data)],
                               capture_output=True, timeout=60, env=environment())
        return ended.stdout if ended.returncode == 0 else None

    def damaged(self, whole: pathlib.Path, change) -> tuple[int, bytes | None, str]:
        """The exit code of a verification of a copy that was changed, what it lists, and what was printed."""
        copy = whole.parent / "damaged"
        shutil.rmtree(copy, ignore_errors=True)
        (copy / "log").mkdir(parents=True)
        shutil.copy(whole / "log/data.mdb", copy / "log/data.mdb")
        with open(copy / "log/data.mdb", "r+b") as file:
            change(file)
        ended = quipu("audit", "verify", "--log-only", "--data", str(copy))
        printed = ended.stdout + ended.stderr
        # Of what was refuted nobody reads on: LMDB may be led anywhere by it.
        return ended.returncode, self.events(copy) if ended.returncode == 0 else None, printed

    def closed(self, steps: int) -> pathlib.Path:
        server = self.server()
        self.fill(server, steps)
        self.assertEqual(0, server.stop())
        return server.data

    def test_one_flipped_bit_never_passes_for_what_was_written(self):
        whole = self.closed(250)
        before = self.events(whole)
        size = (whole / "log/data.mdb").stat().st_size
        choice = random.Random(SEED)
        codes = []
        for number in range(FLIPS):
            # A third of them where pages begin, which tell LMDB where to read.
            place = choice.randrange(size)
            if number % 3 == 0:
                place = place // PAGE * PAGE + choice.randrange(64)
            bit = choice.randrange(8)

            def flip(file) -> None:
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ 1 << bit]))
            code, listed, printed = self.damaged(whole, flip)
            codes.append(code)
            with self.subTest(byte=place, bit=bit, seed=SEED):
                self.assertIn(code, (0, 1, 2), printed)
                if code == 0:
                    self.assertEqual(before, listed, "verified, and shows something else")
        self.assertIn(1, codes, "none of the flips hit anything")

    def test_a_file_that_was_cut_off(self):
        whole = self.closed(150)
        size = (whole / "log/data.mdb").stat().st_size
        before = self.events(whole)
        choice = random.Random(SEED)
        for length in [0, 100, PAGE, 2 * PAGE, 2 * PAGE + 1] + [choice.randrange(size) for _ in range(15)]:
            code, listed, printed = self.damaged(whole, lambda file: file.truncate(length))
            with self.subTest(length=length):
                if code == 0:
                    self.assertEqual(before, listed, "nothing but unused pages was cut off")
                else:
                    self.assertEqual(2 if length == 0 else 1, code, printed)
        copy = whole.parent / "damaged"
        with open(copy / "log/data.mdb", "r+b") as file:
            file.truncate(4 * PAGE)
        ended = quipu("serve", "--port", "0", "--data", str(copy))
        self.assertEqual(1, ended.returncode, "a server doesn't start on it, and isn't killed by it either")
        self.assertIn("cut off", ended.stderr)
        self.assertEqual(1, quipu("audit", "list", "--data", str(copy)).returncode)

    def test_what_a_killed_verification_has_left_is_removed(self):
        data = self.closed(50)
        for name in ("verify-dead", "verify-alive"):
            (data / name / "deep").mkdir(parents=True)
        # The kernel gives the lock of a process up when it ends, however it ends.
        alive = os.open(data / "verify-alive", os.O_RDONLY)
        fcntl.flock(alive, fcntl.LOCK_EX)
        self.verify(0, data)
        self.assertEqual(["verify-alive"], [path.name for path in data.glob("verify-*")])
        os.close(alive)
        self.verify(0, data)
        self.assertEqual([], list(data.glob("verify-*")))

    def test_demo(self):
        with tempfile.TemporaryDirectory() as empty:
            ended = subprocess.run([binary(), "audit", "demo", "tamper", "--json"], cwd=empty, capture_output=True,
                                   encoding="utf-8", timeout=300, env=environment())
            self.assertEqual([], os.listdir(empty))
        self.assertEqual(0, ended.returncode, ended.stdout + ended.stderr)
        shown = json.loads(ended.stdout)
        self.assertTrue(shown["all_caught"])
        self.assertEqual(8, len(shown["attacks"]))
        for attack in shown["attacks"]:
            with self.subTest(attack["attack"]):
                self.assertTrue(attack["caught"])
                for run in attack["runs"]:
                    self.assertEqual("1" if run["should_find"] else "0", run["exit_code"], run["printed"])

    def test_demo_on_a_log_leaves_it_as_it_was(self):
        data = self.closed(60)
        before = (data / "log/data.mdb").read_bytes()
        keep = data.parent / "kept"
        printed = self.run_command(0, "audit", "demo", "tamper", "--data", data, "--keep", keep)
        self.assertIn("8 of 8 attacks caught", printed)
        self.assertEqual(before, (data / "log/data.mdb").read_bytes())
        self.assertEqual({str(number) for number in range(1, 9)} | {"checkpoint.txt"},
                         {path.name for path in keep.iterdir()})
        self.run_command(1, "audit", "verify", "--data", keep / "1")
        self.run_command(2, "audit", "demo", "tamper", "--data", data, "--keep", keep)
        self.run_command(2, "audit", "demo", "tamper", "--data", data.parent / "nothing")


if __name__ == "__main__":
    unittest.main()
