"""Twenty times kill -9 in the middle of at least a hundred unacknowledged sends: nothing acknowledged is lost.

The model is what the clients were told. After each restart the history must hold every acknowledged message once, at
the offset of its ack and in order; an unacknowledged one may be there or not, but never twice; and the unread counts
must be those of that history.
"""

import bisect
import os
import random
import unittest
from collections import defaultdict

from burst import Burst, run
from harness import Server, quipu
from rawsocket import RawSocket
from sockets import Socket, assert_code
from texts import account_names, texts

ROUNDS = 20
IN_FLIGHT = 100
USERS = 5
SENDERS = 4
SENDS = 1_500
ROOM = "the room"


class Kill(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("QUIPU_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
        print(f"test_kill: QUIPU_SEED={self.seed}", flush=True)
        self.random = random.Random(self.seed)
        self.words = texts(self.seed)
        self.server = Server().start()
        self.addCleanup(self.server.remove)
        self.users = account_names(self.seed, USERS)
        self.tokens = {user: self.server.account(user) for user in self.users}
        self.room = self.server.room(self.tokens[self.users[0]], "r", self.users[1:])
        # What the history has said so far: rows (offset, sender, content) of each conversation, oldest first.
        self.rows: dict[object, list[tuple[int, str, str]]] = defaultdict(list)
        self.offsets: dict[str, int] = {}
        # What was acknowledged and not yet looked up: content → the ack's offset.
        self.promised: dict[str, int] = {}
        # (reader, peer or ROOM) → the offset up to which it is read.
        self.marks: dict[tuple[str, str], int] = defaultdict(int)

    def test_twenty_kills_lose_nothing_acknowledged(self):
        counted = attempt = 0
        while counted < ROUNDS:
            attempt += 1
            self.assertLessEqual(attempt, 2 * ROUNDS, f"only {counted} kills hit {IN_FLIGHT} sends in flight")
            bursts, point = self.send_and_kill(attempt)
            self.server.start()
            unacknowledged = sum(one.handed - len(one.replies) for one in bursts)
            where = f"seed {self.seed}, attempt {attempt}, killed {point}"
            self.check_history(bursts, where)
            self.check_counts(where)
            self.send_again(bursts, where)
            counted += unacknowledged >= IN_FLIGHT
        self.read_everything()
        self.assertEqual(0, self.server.stop())
        verified = quipu("replay", "--verify", "--data", str(self.server.data), seconds=120)
        self.assertEqual(0, verified.returncode, verified.stdout + verified.stderr)
        self.assertIn("identical", verified.stdout)

    def send_and_kill(self, attempt: int) -> tuple[list[Burst], str]:
        """Sends from several users at once and kills the server at a seeded point."""
        bursts = []
        for sender in self.random.sample(self.users, SENDERS):
            socket = RawSocket(self.server.port).upgrade("/ws", self.tokens[sender])
            socket.read_json()
            bursts.append(Burst(sender, socket, [self.message(attempt, sender, n) for n in range(SENDS)]))
        if self.random.random() < 0.3:
            handed, acks = self.random.randrange(IN_FLIGHT, SENDERS * SENDS), 0
        else:
            handed, acks = IN_FLIGHT, self.random.randrange(1, SENDS)
        run(bursts, self.server.kill, handed, acks)
        return bursts, f"after {handed} sends and {acks} acks"

    def message(self, attempt: int, sender: str, number: int) -> dict:
        content = f"{attempt} {sender} {number} {next(self.words)}"
        sent = {"type": 1, "content": content}
        sent |= {"id": f"{attempt}-{number}"} if number % 10 == 0 else {}
        peer = self.random.choice([user for user in self.users if user != sender] + [ROOM])
        return sent | ({"room": self.room} if peer == ROOM else {"to": peer})

    def session(self, user: str) -> Socket:
        return self.server.session(self.tokens[user])

    def conversations(self) -> list[tuple[object, str, dict]]:
        """Each conversation's key, somebody who may read it, and how they ask for it."""
        pairs = [(frozenset((a, b)), a, {"to": b}) for n, a in enumerate(self.users) for b in self.users[:n]]
        return pairs + [(ROOM, self.users[0], {"room": self.room})]

    def check_history(self, bursts: list[Burst], where: str) -> None:
        for key, reader, target in self.conversations():
            known = self.rows[key][-1][0] if self.rows[key] else 0
            with self.session(reader) as socket:
                new = self.rows_after(socket, target, known)
            self.assertEqual(sorted({row[0] for row in new}), [row[0] for row in new], f"{where}: offsets in order")
            for offset, _, content in new:
                self.assertNotIn(content, self.offsets, f"{where}: {content!r} is there twice")
                self.offsets[content] = offset
            self.rows[key] += new
        for one in bursts:
            self.promised |= {sent["content"]: reply["offset"] for sent, reply in one.acks}
        for content, offset in self.promised.items():
            self.assertEqual(offset, self.offsets.get(content), f"{where}: {content!r} was acknowledged at {offset}")
        self.promised = {}
        for one in bursts:
            stored = [self.offsets.get(sent["content"]) for sent in one.frames]
            there = [number for number, offset in enumerate(stored) if offset is not None]
            self.assertEqual(sorted(filter(None, stored)), list(filter(None, stored)), f"{where}: one socket's order")
            # Nothing is left out in the middle, but for what was refused.
            for number in range(there[-1] if there else 0):
                if stored[number] is None:
                    self.assertLess(number, len(one.replies), f"{where}: {one.frames[number]} was passed over")
                    assert_code(self, 50030, one.replies[number], where)

    def rows_after(self, socket: Socket, target: dict, known: int) -> list[tuple[int, str, str]]:
        new: list[tuple[int, str, str]] = []
        before: dict = {}
        while True:
            page = socket.ask({"type": 2, "limit": 2_000, "mark": False} | target | before)
            if page["code"] == 50001:
                return new[::-1]
            assert_code(self, 50000, page)
            for row in page["content"]:
                if row["ID"] <= known:
                    return new[::-1]
                new.append((row["ID"], row["send_id"], row["content"]))
            before = {"before": new[-1][0]}

    def check_counts(self, where: str) -> None:
        """The counts are the history's; then some of it is read."""
        for reader in self.users:
            with self.session(reader) as socket:
                direct = {peer: self.unread(reader, peer, self.rows[frozenset((reader, peer))])
                          for peer in self.users if peer != reader}
                room = self.unread(reader, ROOM, self.rows[ROOM])
                expected = {
                    "total_counts": sum(direct.values()),
                    "unread_counts": [{"send_id": peer, "unread_count": count} for peer, count
                                      in sorted(direct.items(), key=lambda item: item[0].encode()) if count],
                    "room_counts": [{"room": self.room, "unread_count": room}] if room else [],
                }
                counts = socket.ask({"type": 4})
                self.assertEqual(expected, {name: counts.get(name) for name in expected}, f"{where}: {reader}'s counts")
                self.read_some(reader, socket)

    def unread(self, reader: str, peer: str, rows: list[tuple[int, str, str]]) -> int:
        above = bisect.bisect_right(rows, self.marks[reader, peer], key=lambda row: row[0])
        return sum(sender != reader for _, sender, _ in rows[above:])

    def read_some(self, reader: str, socket: Socket) -> None:
        peer = self.random.choice([user for user in self.users if user != reader] + [ROOM])
        rows = self.rows[ROOM if peer == ROOM else frozenset((reader, peer))]
        if not rows or self.random.random() < 0.5:
            return
        upto = self.random.choice(rows)[0]
        target = {"room": self.room} if peer == ROOM else {"to": peer}
        assert_code(self, 50000, socket.ask({"type": 5, "upto": upto} | target))
        self.marks[reader, peer] = max(self.marks[reader, peer], upto)

    def send_again(self, bursts: list[Burst], where: str) -> None:
        """What a client does after a cut: the same id again appends it once, whether it was stored or not."""
        for one in bursts:
            known = [sent for sent, _ in one.acks if "id" in sent][-2:]
            unknown = [sent for sent in one.frames[len(one.replies):] if "id" in sent][:3]
            with self.session(one.sender) as socket:
                for sent in known + unknown:
                    while (reply := socket.ask(sent))["code"] == 50030:
                        pass
                    assert_code(self, (50002, 50003), reply, where)
                    self.promised[sent["content"]] = reply["offset"]
                    if (stored := self.offsets.get(sent["content"])) is not None:
                        self.assertEqual((stored, True), (reply["offset"], reply.get("duplicate")), f"{where}: {sent}")

    def read_everything(self) -> None:
        """Whole histories in one answer each are what the pages were, and what was sent again since the last."""
        found: dict[str, int] = {}
        for key, reader, target in self.conversations():
            with self.session(reader) as socket:
                answer = socket.ask({"type": 2, "mark": False} | target, seconds=60)
                rows = [(row["ID"], row["send_id"], row["content"]) for row in answer["content"]][::-1]
                self.assertEqual(self.rows[key], rows[:len(self.rows[key])])
                self.assertEqual(len(rows), len({content for _, _, content in rows}), "no message is there twice")
                found |= {content: offset for offset, _, content in rows}
        self.assertEqual(self.promised, {content: found.get(content) for content in self.promised})


if __name__ == "__main__":
    unittest.main()
