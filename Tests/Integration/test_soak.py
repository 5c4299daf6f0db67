"""A soak: people connect, leave, come back where they stood, write, change, read, move in and out of rooms, while the
server is killed twenty times in the middle of it and stopped now and then.

At the end the log is read, and everything is held against it: what was acknowledged, the stream of every connection,
the counts that were told meanwhile, and every history and count. Seeded; QUIPU_SEED repeats the decisions of a run,
though not the moments at which the server was hit.
"""

import itertools
import os
import random
import select
import threading
import unittest

from harness import Server, quipu, quote, wait_for
from model import CONVERSATION, ROOM, SESSION, Listener, read_log
from outcome import Outcome
from soakclient import Client
from sockets import Socket
from texts import account_names, texts

KILLS = 20
STOPS = 4
USERS = 12
ROOMS = 3
# What is done first, before each kill, and in the burst that it cuts off.
BEFORE = 4_500
STEPS = 160
BURST = 60
# Small buffers, so that a client which doesn't read for a moment lags, and has to be caught up from the log.
LIMITS = {"send_buffer_bytes": 4_096, "outbound_bytes": 1_024, "close_seconds": 5}
QUIET_SECONDS = 20

KINDS = {"send": 44, "edit": 10, "delete": 6, "read": 8, "show": 6, "counts": 6, "resume": 4, "type": 3, "who": 2,
         "pause": 4, "go on": 5, "leave": 3, "connect": 6, "move": 3, "repeat": 3}


class Soak(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("QUIPU_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
        print(f"test_soak: QUIPU_SEED={self.seed}", flush=True)
        self.random = random.Random(self.seed)
        self.words = texts(self.seed)
        self.server = Server({"limits": LIMITS, "server": {"drain_seconds": 2}}, mode="open").start()
        self.addCleanup(self.server.remove)
        self.users = account_names(self.seed, USERS)
        # In mode open a name exists from its first use on.
        self.rooms = {self.make_room(number): set(self.users[:6 + number]) for number in range(ROOMS)}
        refs = itertools.count(1)
        self.clients = [Client(listener, refs) for listener in self.listeners()]
        self.contents = itertools.count(1)
        for client in self.clients:
            client.connect(self.server.port)
        self.talk_before()

    def talk_before(self) -> None:
        """Fills the log so far that whoever resumes from the beginning is caught up by the views' indexes."""
        for number in range(BEFORE):
            self.send(self.clients[self.random.randrange(USERS)])
            if number % 20 == 0:
                self.take_in()
        wait_for(lambda: self.take_in() or not any(client.waiting for client in self.clients), "the first acks")

    def make_room(self, number: int) -> str:
        body = {"name": f"room {number}", "members": self.users[1:6 + number]}
        reply = self.server.request("POST", f"/rooms?account={quote(self.users[0])}", body)
        self.assertEqual(201, reply.status, str(reply))
        return reply.json["data"]["id"]

    def listeners(self) -> list[Listener]:
        """Each user has a session, some two; some have sockets of the older kinds, with the pushes or without."""
        found = [Listener(SESSION, user) for user in self.users]
        found += [Listener(SESSION, user) for user in self.users[::4]]
        for number in range(10):
            me, peer = self.random.sample(self.users, 2)
            found.append(Listener(CONVERSATION, me, peer, changes=number % 2 == 0))
        return found + [Listener(ROOM, user, changes=number % 2 == 0) for number, user in enumerate(self.users[:8])]

    def test_twenty_kills(self):
        rounds = ["kill"] * KILLS + ["stop"] * STOPS
        self.random.shuffle(rounds)
        for ending in rounds:
            for _ in range(STEPS):
                self.step()
                self.take_in()
            for _ in range(BURST):
                self.step(self.random.choices(["send", "edit", "delete", "read"], [6, 2, 1, 2])[0])
            if ending == "kill":
                self.kill()
            else:
                self.stop()
            self.server.start()
            for client in self.clients:
                if self.random.random() < 0.8:
                    client.connect(self.server.port)
        self.finish()
        outcome = Outcome(self, f"seed {self.seed}", read_log(self.server.data), self.clients)
        outcome.check_acknowledged()
        outcome.check_streams()
        outcome.check_counts_told()
        outcome.check_members(self.rooms)
        for user in self.users:
            with Socket(self.server.url("/ws", account=user)).greeted() as socket:
                outcome.check_answers(user, socket)
        self.assertEqual(0, self.server.stop())
        verified = quipu("replay", "--verify", "--data", str(self.server.data), seconds=120)
        self.assertEqual(0, verified.returncode, verified.stdout + verified.stderr)
        self.assertIn("identical", verified.stdout)

    # What goes on

    def open_clients(self) -> list[Client]:
        return [client for client in self.clients if client.socket]

    def step(self, kind: str | None = None) -> None:
        """One thing that somebody does."""
        kind = kind or self.random.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "connect":
            closed = [client for client in self.clients if not client.socket]
            if closed:
                self.random.choice(closed).connect(self.server.port)
        elif kind == "move":
            self.move()
        elif (found := [client for client in self.open_clients() if kind in self.abilities(client)]):
            getattr(self, kind.replace(" ", "_"))(self.random.choice(found))

    def abilities(self, client: Client) -> set[str]:
        """A socket without the pushes asks for nothing that would bring them."""
        able = {"send", "show", "counts", "leave", "repeat"} | ({"go on"} if client.is_paused else {"pause"})
        return able | ({"edit", "delete", "read", "resume", "type", "who"} if client.listener.changes else set())

    def place(self, client: Client) -> dict:
        """A conversation or room to talk in, now and then one that the user isn't in."""
        me = client.listener.me
        if client.listener.kind == CONVERSATION:
            return {}
        if client.listener.kind == ROOM or self.random.random() < 0.5:
            mine = [room for room, members in self.rooms.items() if me in members]
            if self.random.random() < 0.05 or (client.listener.kind == ROOM and not mine):
                mine = list(self.rooms)
            if mine:
                return {"room": self.random.choice(mine)}
        return {"to": self.random.choice([user for user in self.users if user != me])}

    def content(self) -> str:
        return f"{next(self.contents)} {next(self.words)}"

    def send(self, client: Client) -> None:
        place = self.place(client)
        if client.listener.kind == ROOM and self.random.random() < 0.7:
            client.send({"Msg": self.content(), "RoomId": place["room"]})
            return
        content = self.content()
        own = {"id": f"№ {content.split()[0]}"} if self.random.random() < 0.3 else {}
        client.send({"type": 1, "content": content} | own | place)

    def repeat(self, client: Client) -> None:
        """The same again with the same id, whether the reply to the first was seen or not."""
        mine = [sent for other in self.clients if other.listener.me == client.listener.me
                for sent in other.sent[-40:] if "id" in sent.content and "type" in sent.content]
        if mine and client.listener.kind != CONVERSATION:
            sent = self.random.choice(mine)
            if "room" in sent.content or "to" in sent.content:
                client.send({name: value for name, value in sent.content.items() if name != "ref"})

    def target(self, client: Client) -> tuple[int, dict]:
        """A message to change: mostly one of the user's own and of late, and where it is."""
        me = client.listener
        found = [sent for other in self.clients for sent in other.sent[-30:]
                 if sent.is_stored and "offset" in sent.reply and sent.content.get("type") == 1
                 and (sent.user == me.me or self.random.random() < 0.02)]
        if me.kind == CONVERSATION:
            found = [sent for sent in found if sent.stream.listener == me]
        if not found:
            return self.random.randrange(1, 2_000), self.place(client)
        sent = self.random.choice(found)
        where = {name: sent.content[name] for name in ("to", "room") if name in sent.content}
        if sent.stream.listener.kind == CONVERSATION:
            where = {"to": sent.stream.listener.peer}
        return sent.reply["offset"], {} if me.kind == CONVERSATION else where

    def edit(self, client: Client) -> None:
        target, place = self.target(client)
        client.send({"type": 9, "target": target, "content": self.content()} | place)

    def delete(self, client: Client) -> None:
        target, place = self.target(client)
        client.send({"type": 10, "target": target} | place)

    def read(self, client: Client) -> None:
        upto = {"upto": self.random.randrange(1, client.stream.position + 1)} if self.random.random() < 0.5 else {}
        client.send({"type": 5} | upto | self.place(client))

    def show(self, client: Client) -> None:
        kind = self.random.choice([2, 3])
        client.send({"type": kind, "limit": self.random.randrange(1, 30)} | self.place(client))

    def counts(self, client: Client) -> None:
        client.send({"type": 4})

    def type(self, client: Client) -> None:
        client.send({"type": 7, "content": self.random.random() < 0.5} | self.place(client))

    def who(self, client: Client) -> None:
        client.send({"type": 8, "watch": self.random.random() < 0.7} | self.place(client))

    def resume(self, client: Client) -> None:
        position = client.stream.position
        back = self.random.choice([0, 0, 1, 20, 300, position])
        client.send({"type": 6, "after": max(0, position - back), "log": client.log})

    def pause(self, client: Client) -> None:
        client.is_paused = True

    def go_on(self, client: Client) -> None:
        client.is_paused = False

    def leave(self, client: Client) -> None:
        client.hang_up(politely=self.random.random() < 0.5)

    def move(self) -> None:
        """Somebody leaves a room, or somebody in it lets another in."""
        room, members = self.random.choice(list(self.rooms.items()))
        user = self.random.choice(self.users)
        # The last one stays: nobody could let anybody in again.
        if user in members and len(members) > 1:
            self.change_member("DELETE", room, user, by=user)
            members.remove(user)
        elif user not in members:
            self.change_member("PUT", room, user, by=self.random.choice(sorted(members)))
            members.add(user)

    def change_member(self, method: str, room: str, user: str, by: str) -> None:
        path = f"/rooms/{room}/members/{quote(user)}?account={quote(by)}"
        self.assertEqual(204, self.server.request(method, path).status, f"seed {self.seed}: {method} {path}")

    # The server

    def take_in(self) -> None:
        """Takes what has arrived, without waiting; those who pause take nothing."""
        reading = {client.socket.socket: client for client in self.open_clients() if not client.is_paused}
        for ready in select.select(list(reading), [], [], 0)[0]:
            self.assertTrue(reading[ready].take(), f"seed {self.seed}: {reading[ready].listener} was cut off")

    def drain(self) -> None:
        """Takes everything until the server has ended each connection."""
        while reading := {client.socket.socket: client for client in self.open_clients()}:
            ready = select.select(list(reading), [], [], QUIET_SECONDS)[0]
            self.assertTrue(ready, f"seed {self.seed}: {len(reading)} connections outlive the server")
            for one in ready:
                reading[one].take()

    def kill(self) -> None:
        """Hits the server while what was sent last is on its way or being written."""
        for _ in range(self.random.choice([0, 0, 1, 2, 5, 20])):
            self.take_in()
        self.server.kill()
        self.drain()

    def stop(self) -> None:
        """SIGTERM: everybody is told where to go on."""
        listeners = [client for client in self.open_clients() if client.listener.kind != ROOM]
        stopping = threading.Thread(target=self.server.stop)
        stopping.start()
        self.drain()
        stopping.join()
        self.assertEqual(0, self.server.process.returncode, self.server.printed)
        for client in listeners:
            last = next((frame for frame in reversed(client.stream.received) if "retry_after_ms" in frame), None)
            self.assertIsNotNone(last, f"seed {self.seed}: {client.listener} was told no 50001")
            self.assertEqual(1001, client.stream.closed)

    def finish(self) -> None:
        """All come back and read until nothing is left to come."""
        for client in self.clients:
            client.is_paused = False
            if not client.socket:
                client.connect(self.server.port)
            client.send({"type": 4})
        # A last word in each room comes after all that was said before.
        last = {}
        for room, members in self.rooms.items():
            session = self.clients[self.users.index(min(members))]
            last[room] = session.send({"type": 1, "room": room, "content": self.content()})
        wait_for(lambda: self.take_in() or all(sent.reply for sent in last.values()), f"last acks (seed {self.seed})")
        heard = {room: sent.reply["offset"] for room, sent in last.items()}
        wait_for(lambda: self.take_in() or all(self.is_quiet(client, heard) for client in self.clients),
                 f"every client to be at the head (seed {self.seed})", 30)
        self.stop()
        self.server.start()

    def is_quiet(self, client: Client, heard: dict[str, int]) -> bool:
        """Whether all replies and 50010s have come, and the last word of each room of a room socket."""
        if any(sent.content.get("type") != 7 for sent in client.waiting) or not client.stream.is_synced:
            return False
        mine = [heard[room] for room, members in self.rooms.items() if client.listener.me in members]
        return client.listener.kind != ROOM or client.stream.position >= max(mine, default=0)


if __name__ == "__main__":
    unittest.main()
