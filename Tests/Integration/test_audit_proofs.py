"""`quipu audit key`, `checkpoint`, `prove`, `consistency` and `verify`: what an auditor is given is verified without
the log, in an empty folder, and refused after any change."""

import base64
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from commands import CommandTest
from harness import PASSWORD, Server, binary, environment


class AuditProofs(CommandTest):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="quipu-auditor-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.empty = self.folder / "empty"
        self.empty.mkdir()

    def file(self, name: str, content: bytes) -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def audit(self, code: int, server: Server, *arguments) -> bytes:
        """Runs one of the commands that read the log, and returns its output byte by byte."""
        ended = subprocess.run([binary(), "audit", *map(str, arguments), "--data", server.data], capture_output=True,
                               timeout=60, env=environment())
        self.assertEqual(code, ended.returncode, f"{arguments}:\n{(ended.stdout + ended.stderr).decode()}")
        return ended.stdout + (ended.stderr if code else b"")

    def verify(self, code: int, *arguments, input: bytes | None = None) -> str:
        """Verifies files in an empty folder, which stays empty."""
        ended = subprocess.run([binary(), "audit", "verify", *map(str, arguments)], capture_output=True, input=input,
                               timeout=60, env=environment(), cwd=self.empty)
        printed = (ended.stdout + ended.stderr).decode()
        self.assertEqual(code, ended.returncode, f"{arguments}:\n{printed}")
        self.assertEqual([], list(self.empty.iterdir()))
        return printed

    def conversation(self, server: Server, *texts: str) -> list[int]:
        token = server.login("ann").json["token"]
        with server.session(token) as ann:
            return [ann.ask({"type": 1, "to": "bob", "content": text})["offset"] for text in texts]

    def test_proofs(self):
        server = self.server()
        for name in ("ann", "bob"):
            server.account(name)
        rude = "one\n\x1b[31m\u202e 电池"
        offset = self.conversation(server, "before", rude, "after")[1]
        for running in (True, False):
            with self.subTest(running=running):
                key = self.audit(0, server, "key")
                self.assertRegex(key.decode(), r"^quipu/[0-9a-f]{32}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n$")
                vkey = self.file("vkey", key)
                proof = self.audit(0, server, "prove", offset)
                path = self.file("proof", proof)
                for given in (vkey, key.decode().strip()):
                    printed = self.verify(0, path, "--key", given)
                    self.assertIn(f"event {offset} is in the log", printed)
                    self.assertIn(r"one\n\u{1B}[31m\u{202E} 电池", printed)
                self.verify(0, "-", "--key", vkey, input=proof)
                found = json.loads(self.verify(0, path, "--key", vkey, "--json"))
                self.assertEqual(("verified", offset, "MessageSent", rude),
                                 (found["result"], *(found["event"][name] for name in ("offset", "type", "content"))))
                self.check_secrets(server, vkey)
                self.check_changes(proof, vkey)
                checkpoint = self.audit(0, server, "checkpoint")
                told = json.loads(self.audit(0, server, "checkpoint", "--json"))
                self.assertEqual(checkpoint.decode(), told["checkpoint"])
                self.assertEqual((found["origin"], found["size"], found["root"]),
                                 (told["origin"], told["size"], told["root"]))
                self.verify(0, path, self.file("checkpoint", checkpoint), "--key", vkey)
            if running:
                self.assertEqual(0, server.stop())

    def check_secrets(self, server: Server, vkey: pathlib.Path) -> None:
        """The proof of an account shows that it is there, and nothing of its password."""
        # Each registers and then logs in.
        for offset in (1, 3):
            proof = self.audit(0, server, "prove", offset)
            extra = next(line for line in proof.splitlines() if line.startswith(b"extra "))[6:]
            printed = self.verify(0, "-", "--key", vkey, input=proof)
            printed += self.verify(0, "-", "--key", vkey, "--json", input=proof)
            for shown in (proof, base64.b64decode(extra), printed.encode()):
                self.assertNotIn(b"$2", shown)
                self.assertNotIn(PASSWORD.encode(), shown)
            self.assertIn("not shown: it holds a secret", printed)

    def check_changes(self, proof: bytes, vkey: pathlib.Path) -> None:
        lines = proof.split(b"\n")
        for number, line in enumerate(lines):
            if not line:
                continue
            changed = lines[:number] + [line[:-1] + (b"B" if line[-1:] != b"B" else b"C")] + lines[number + 1:]
            said = self.verify(2 if number == 0 else 1, "-", "--key", vkey, input=b"\n".join(changed))
            self.assertLess(len(said), 500)
        other = self.server()
        stranger = self.file("stranger", self.audit(0, other, "key"))
        self.assertIn("REFUTED", self.verify(1, "-", "--key", stranger, input=proof))
        # A key of the same name that isn't the log's.
        name, id, _ = vkey.read_text().split("+", 2)
        forged = f"{name}+{id}+{stranger.read_text().strip().split('+', 2)[2]}"
        self.assertIn("id", self.verify(2, "-", "--key", forged, input=proof))

    def test_consistency(self):
        server = self.server()
        for name in ("ann", "bob"):
            server.account(name)
        vkey = self.file("vkey", self.audit(0, server, "key"))
        old = self.folder / "old.checkpoint"
        self.audit(0, server, "checkpoint", "--out", old)
        self.audit(2, server, "checkpoint", "--out", old)
        self.conversation(server, "one")
        server.restart()
        self.assertEqual(vkey.read_bytes(), self.audit(0, server, "key"))
        copy = self.folder / "copy"
        for round in range(3):
            self.conversation(server, f"{round}")
            if round == 1:
                self.assertEqual(0, server.stop())
                shutil.copytree(server.data, copy)
                server.start()
            proof = self.folder / f"{round}.consistency"
            self.audit(0, server, "consistency", old, "--out", proof)
            self.assertIn("begins with", self.verify(0, proof, "--old", old, "--key", vkey))
            self.verify(2, proof, "--key", vkey)
            text = proof.read_bytes()
            for changed in (text.replace(b"old ", b"old 1"), text.replace(b"\nquipu/", b"\nquipt/"), text[:-1]):
                self.verify(1, "-", "--old", old, "--key", vkey, input=changed)
        new = self.file("new.checkpoint", self.audit(0, server, "checkpoint"))
        self.verify(1, proof, "--old", new, "--key", vkey)
        self.verify(2, new, "--old", old, "--key", vkey)
        found = json.loads(self.audit(0, server, "consistency", old, "--json"))
        self.assertEqual(proof.read_text(), found["proof"])
        self.assertEqual(0, server.stop())

        # The log was cut: a copy from before is put in its place. Then it goes another way.
        before = Server()
        self.addCleanup(before.remove)
        shutil.copytree(copy, before.data)
        said = self.audit(1, before, "consistency", new).decode()
        self.assertIn("the log doesn't continue the checkpoint: it has", said)
        self.audit(0, before, "consistency", old)
        before.start()
        self.conversation(before, "other", "words", "than", "then")
        said = self.audit(1, before, "consistency", new).decode()
        self.assertIn("are not those that were signed", said)
        fork = self.file("fork.consistency", self.audit(0, before, "consistency", old))
        self.verify(0, fork, "--old", old, "--key", vkey)
        self.verify(1, fork, "--old", new, "--key", vkey)

    def test_two_histories_of_one_size(self):
        server = self.server()
        for name in ("ann", "bob"):
            server.account(name)
        self.assertEqual(0, server.stop())
        other = Server()
        self.addCleanup(other.remove)
        shutil.copytree(server.data, other.data)
        vkey = self.file("vkey", self.audit(0, server, "key"))
        notes = []
        for each, text in ((server, "one"), (other, "another")):
            each.start()
            self.conversation(each, text)
            self.assertEqual(0, each.stop())
            notes.append(self.file(text, self.audit(0, each, "checkpoint")))
            self.verify(0, notes[-1], "--key", vkey)
        self.assertEqual(*(note.read_bytes().split(b"\n")[1] for note in notes))
        self.assertIn("two different histories", self.verify(1, *notes, "--key", vkey))

    def test_exit_codes(self):
        server = self.server()
        server.account("ann")
        vkey = self.file("vkey", self.audit(0, server, "key"))
        proof = self.file("proof", self.audit(0, server, "prove", 1))
        checkpoint = self.file("checkpoint", self.audit(0, server, "checkpoint"))
        for options in (["prove"], ["prove", "0"], ["prove", "9"], ["prove", "x"], ["consistency"],
                        ["consistency", self.folder / "not there"], ["consistency", proof],
                        ["consistency", self.folder], ["prove", "1", "--out", self.folder / "no" / "folder"]):
            self.assertLess(len(self.audit(2, server, *options)), 1_000)
        other = self.server()
        said = self.audit(1, other, "consistency", checkpoint).decode()
        self.assertIn("the checkpoint is of the log quipu/", said)
        forged = checkpoint.read_bytes().replace(b"\n2\n", b"\n1\n")
        self.assertNotEqual(forged, checkpoint.read_bytes())
        self.assertIn("signature", self.audit(1, server, "consistency", self.file("forged", forged)).decode())
        self.assertIn("REFUTED", self.verify(1, self.folder / "forged", "--key", vkey))
        for options in ([proof], [proof, "--key", "k"], [proof, "--key", proof], [proof, "--key", ""],
                        [proof, "--key", server.data / "audit.key"], ["not there", "--key", vkey],
                        [vkey, "--key", vkey], [self.folder, "--key", vkey], [proof, "--key", vkey, "--data", "."],
                        [proof, "--key", vkey, "--old", "not there"], [proof, "--key", vkey, "--old", checkpoint]):
            self.assertLess(len(self.verify(2, *options)), 1_000)
        # One that is refuted outweighs one that can't be told, and that one those that are verified.
        self.assertIn("there is no file", self.verify(2, proof, "not there", "--key", vkey))
        self.verify(1, proof, "not there", self.folder / "forged", "--key", vkey)
        found = [json.loads(line) for line in self.verify(
            1, proof, "not there", self.folder / "forged", "--key", vkey, "--json").splitlines()]
        self.assertEqual(["verified", "unknown", "refuted"], [each["result"] for each in found])


if __name__ == "__main__":
    unittest.main()
