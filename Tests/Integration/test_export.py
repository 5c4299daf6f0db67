"""`quipu audit export`, checked by a program whose core nobody of us wrote and by our own: both accept what the log
has, and refuse it after any single change."""

import base64
import json
import os
import random
import re
import unittest

import burst
from burst import Burst
from commands import CommandTest
from exports import Export
from harness import Server
from rawsocket import RawSocket
from texts import texts
from traffic import Traffic

SEED = int(os.environ.get("QUIPU_SEED", "20261121"))
HASH = re.compile(rb"\$2[abxy]\$\d\d\$")


class LargeExport(CommandTest):
    """The export of a log of 100,000 messages that people sent to a real server."""

    MESSAGES = 100_000
    SENDERS = 4

    def test_large(self):
        choice = random.Random(SEED)
        server = self.server()
        names = [f"sender-{number}" for number in range(self.SENDERS)]
        tokens = {name: server.account(name) for name in names}
        words = texts(SEED)
        some = [next(words) for _ in range(500)]
        bursts = []
        for number, name in enumerate(names):
            socket = RawSocket(server.port).upgrade("/ws", tokens[name])
            socket.read_json()
            peer = names[(number + 1) % self.SENDERS]
            frames = [{"type": 1, "to": peer, "content": f"{index} {some[index % len(some)]}"}
                      for index in range(self.MESSAGES // self.SENDERS)]
            bursts.append(Burst(name, socket, frames))
        # All are acknowledged, and so on disk: the server need not be asked.
        burst.run(bursts, server.kill, self.MESSAGES, self.MESSAGES)
        self.assertEqual(self.MESSAGES, sum(len(burst.acks) for burst in bursts))

        export = Export(self, server.data)
        report = export.accepted()
        self.assertGreaterEqual(report["events"], self.MESSAGES)
        self.assertEqual(report["size"], report["events"])
        self.assertEqual("whole", report["complete"])
        self.assertEqual(self.SENDERS, report["names_stated"])
        for name in [*choice.sample(export.files, 2), "events.jsonl"]:
            position = choice.randrange(export.path(name).stat().st_size)
            with open(export.path(name), "rb") as file:
                file.seek(position)
                before = file.read(1)[0]
            value = before ^ 1 << choice.randrange(8)
            export.refused_with_byte(name, position, value, f"seed {SEED}: byte {position} of {name} made {value}")


class SmallExports(CommandTest):
    """Logs of some hundred events of all kinds; every kind of file, and every kind of change."""

    PEOPLE = ("ann", "bob", "客-é")
    ROUNDS = 400

    @classmethod
    def setUpClass(cls):
        cls.choice = random.Random(SEED)
        cls.fill(cls.choice)

    @classmethod
    def fill(cls, choice: random.Random) -> None:
        cls.running = Server().start()
        cls.addClassCleanup(cls.running.remove)
        words = texts(SEED)
        traffic = Traffic(unittest.TestCase(), cls.running, list(cls.PEOPLE), choice, lambda: next(words))
        for _ in range(cls.ROUNDS):
            traffic.step(choice.choice(cls.PEOPLE))
        cls.head = traffic.settle()
        cls.room = traffic.room
        traffic.close()

    def export(self, *options: str) -> Export:
        return Export(self, self.running.data, *options)

    def listed(self, *options: str) -> list[dict]:
        printed = self.run_command(0, "audit", "list", "--data", self.running.data, "--format", "json", *options)
        return [json.loads(line) for line in printed.split("\n") if line]

    # What is accepted, and what it says

    def test_selections(self):
        everything = self.listed()
        middle = [event["time"] for event in everything][len(everything) // 2]
        for options, complete in [
            ((), "whole"), (("--user", "ann", "--peer", "bob"), "revisions"), (("--room", self.room), "revisions"),
            (("--user", "bob"), "none"), (("--since", middle), "offsets"), (("--until", middle), "offsets"),
            (("--room", self.room, "--user", "ann"), "none"), (("--room", self.room, "--since", middle), "revisions"),
            (("--room", self.room, "--until", middle), "revisions"), (("--user", "bob", "--entries"), "whole"),
            (("--user", "ann", "--peer", "ann"), "revisions"),
            (("--user", "bob", "--until", middle, "--entries"), "whole"),
        ]:
            with self.subTest(options):
                export = self.export(*options)
                report = export.accepted()
                self.assertEqual(complete, report["complete"])
                expected = self.listed(*(option for option in options if option != "--entries"))
                lines = export.lines()
                self.assertEqual([event["offset"] for event in expected], [line["offset"] for line in lines])
                self.assertEqual(len(lines), report["events"])
                for event, line in zip(expected, lines):
                    for key in ("time", "type", "actor_id", "revision", "reference", "stream"):
                        self.assertEqual(event[key], line[key])
                    self.assertEqual(event["actor"], line["actor"])
                    if event["type"] != "UserRegistered":
                        self.assertEqual(event.get("content"), line.get("content"))
                    self.assertEqual(event["type"] == "UserRegistered", line["withheld"])
                self.assertEqual("entries" in str(export.files), complete == "whole")

    def test_no_secret(self):
        export = self.export()
        for name in export.files:
            data = export.path(name).read_bytes()
            self.assertNotRegex(data, HASH, name)
        for line in export.lines() + export.lines("names.jsonl"):
            self.assertNotRegex(base64.b64decode(line["record"]), HASH)

    def test_server_stopped(self):
        server = self.server(mode="open")
        with server.conversation("ann", "bob") as ann:
            ann.ask({"type": 1, "content": "hello"})
        running = Export(self, server.data)
        server.stop()
        stopped = Export(self, server.data)
        for export in (running, stopped):
            report = export.accepted()
            self.assertEqual((2, 0), (report["names_proven"], report["names_stated"]), "guests' names are in the log")
        for name in set(running.files) - {"checkpoint", "manifest"}:
            self.assertEqual(running.path(name).read_bytes(), stopped.path(name).read_bytes(), name)

    def test_folder_in_use(self):
        export = self.export()
        before = {name: export.path(name).read_bytes() for name in export.files}
        printed = self.run_command(2, "audit", "export", export.folder, "--data", self.running.data)
        self.assertIn("isn't empty", printed)
        self.assertEqual(before, {name: export.path(name).read_bytes() for name in export.files})
        self.run_command(2, "audit", "export", export.path("checkpoint"), "--data", self.running.data)

    def test_usage(self):
        export = self.export("--user", "ann")
        self.run_command(2, "audit", "verify", export.folder, "--key", "nonsense")
        self.run_command(2, "audit", "verify", export.path("nowhere"), "--key", export.key)
        self.run_command(2, "audit", "export", export.path("new"), "--data", self.running.data, "--user", "nobody")
        self.assertFalse(export.path("new").exists())

    # What is refused

    def test_any_byte(self):
        for options in ((), ("--user", "ann", "--peer", "bob")):
            export = self.export(*options)
            kinds = {name.rsplit("/", 1)[0] if "/" in name else name: name for name in export.files}
            for name in kinds.values():
                data = export.path(name).read_bytes()
                for _ in range(6):
                    position = self.choice.randrange(len(data))
                    changed = bytearray(data)
                    changed[position] ^= 1 << self.choice.randrange(8)
                    why = f"seed {SEED}: {options} {name} byte {position}"
                    with self.subTest(why):
                        export.refused_with(name, bytes(changed), why)
                for what, changed in (("cut off", data[:-1]), ("longer", data + b"\n"), ("empty", b"")):
                    export.refused_with(name, changed, f"{name} {what}")
            export.accepted()

    def test_ends_of_signatures(self):
        """The last digits of a signature hold bits that belong to no byte."""
        export = self.export("--user", "ann")
        for name in ("checkpoint", "manifest"):
            data = export.path(name).read_bytes()
            last = data.rindex(b"=") - 1
            for digit in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[::4]:
                for other in (digit, digit + 1):
                    if other != data[last]:
                        changed = data[:last] + bytes([other]) + data[last + 1:]
                        export.refused_with(name, changed, f"{name} with {other:c} at its end")

    def test_lines(self):
        """Whoever changes the lines can't sign the manifest anew; and were it signed, the tree would tell."""
        for options in ((), ("--room", self.room)):
            export = self.export(*options)
            for name in ("events.jsonl", "names.jsonl"):
                lines = export.path(name).read_bytes().split(b"\n")[:-1]
                first, second = sorted(self.choice.sample(range(len(lines)), 2))
                swapped = list(lines)
                swapped[first], swapped[second] = lines[second], lines[first]
                for what, changed in (
                    ("deleted", lines[:first] + lines[first + 1:]), ("the last deleted", lines[:-1]),
                    ("doubled", lines[:second] + lines[first:first + 1] + lines[second:]), ("swapped", swapped),
                ):
                    with self.subTest(f"{options} {name} {what}"):
                        export.refused_with(name, b"".join(line + b"\n" for line in changed), f"{name} {what}")

    def test_fields(self):
        export = self.export("--user", "ann", "--peer", "bob")
        lines = export.path("events.jsonl").read_bytes().split(b"\n")[:-1]
        sent = [number for number, line in enumerate(lines) if b'"type":"MessageSent"' in line]
        number, other = sent[0], sent[-1]
        event, others = json.loads(lines[number]), json.loads(lines[other])
        changes = {"content": "something else", "time": others["time"], "actor": "eve", "proof": others["proof"],
                   "record": others["record"], "offset": others["offset"], "revision": 7_000_000, "redacted": True,
                   "type": "MessageEdited", "subject_id": others["actor_id"], "more": 1, "proof ": []}
        for key, value in changes.items():
            if event.get(key) == value:
                continue
            changed = list(lines)
            changed[number] = json.dumps(event | {key: value}, ensure_ascii=False, separators=(",", ":")).encode()
            report = export.refused_with("events.jsonl", b"".join(line + b"\n" for line in changed), key)
            self.assertIn("line", report["reason"], f"{key}: by what the line says, not only by its hash")
        same = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        for what, text in (("space", same.replace(",", ", ", 1)), ("capitals", same.replace('"offset"', '"Offset"', 1)),
                           ("key twice", same[:-1] + ',"content":"x"}')):
            changed = lines[:number] + [text.encode()] + lines[number + 1:]
            export.refused_with("events.jsonl", b"".join(line + b"\n" for line in changed), what)

    def test_files(self):
        export = self.export()
        for name in export.files:
            export.refused_with(name, None, f"{name} taken away")
        for name in ("more", "tile/0/002", "tile/entries/000.p/7", "tile/1/more"):
            path = export.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
            export.refused(f"{name} added")
            path.unlink()
            if name.endswith(".p/7"):
                path.parent.rmdir()
        export.accepted()

    def test_other_checkpoint(self):
        server = self.server(mode="open")
        with server.conversation("ann", "bob") as ann:
            ann.ask({"type": 1, "content": "one"})
            older = Export(self, server.data)
            ann.ask({"type": 1, "content": "two"})
            newer = Export(self, server.data)
        for name in ("checkpoint", "manifest"):
            newer.refused_with(name, older.path(name).read_bytes(), f"{name} of an older size")
        for name in ("checkpoint", "manifest"):
            newer.refused_with(name, newer.path("checkpoint" if name == "manifest" else "manifest").read_bytes(),
                               f"{name} from the other")
        stranger = self.export("--user", "ann")
        newer.refused("another log's key", stranger.key)
        newer.accepted()

    def test_unfinished(self):
        """What is there before the checkpoint is no export."""
        export = self.export("--user", "ann")
        report = export.refused_with("checkpoint", None, "no checkpoint")
        self.assertIn("never finished", report["reason"])
