"""Whatever a few people may do in conversations and a room, by chance: sent, edited, deleted, read, come and gone."""

import random

from harness import Server, quote, wait_for
from sockets import Socket, assert_code


class Traffic:
    """A few people with a session socket each, and a room that all of them begin in."""

    def __init__(self, test, server: Server, names: list[str], choice: random.Random, say):
        """`say` gives the next text to send."""
        self.test, self.server, self.names, self.choice, self.say = test, server, names, choice, say
        self.tokens = {name: server.account(name) for name in names}
        self.room = server.room(self.tokens[names[0]], "r", names[1:])
        self.sockets: dict[str, Socket] = {name: server.session(self.tokens[name]) for name in names}
        # In the order of joining; the eldest inherits the room.
        self.inside = list(names)
        self.owner = names[0]
        self.sent: list[tuple[str, dict, int]] = []

    def places(self, name: str) -> dict[str, dict]:
        """Where somebody may look: at all others, and at the room if they are in it."""
        places = {other: {"to": other} for other in self.names if other != name}
        return places | ({self.room: {"room": self.room}} if name in self.inside else {})

    def step(self, name: str) -> None:
        """One of them does something."""
        choice, socket = self.choice, self.sockets[name]
        place = {"to": choice.choice([other for other in self.names if other != name])}
        if name in self.inside and choice.random() < 0.5:
            place = {"room": self.room}
        kind = choice.random()
        if kind < 0.6 or not self.sent:
            ack = socket.ask({"type": 1, "content": self.say()} | place)
            assert_code(self.test, (50002, 50003), ack)
            self.sent.append((name, place, ack["offset"]))
        elif kind < 0.72:
            # Marks come twice and in any order.
            upto = choice.choice(self.sent)[2]
            for _ in range(choice.randrange(1, 3)):
                socket.ask({"type": 5, "upto": upto} | place)
        elif kind < 0.92:
            author, where, target = choice.choice(self.sent)
            if author in self.inside or "to" in where:
                asked = {"type": 10} if kind > 0.85 else {"type": 9, "content": self.say()}
                reply = self.sockets[author].ask(asked | {"target": target} | where)
                # What was deleted before can't be edited.
                assert_code(self.test, (50000, 50022), reply)
        else:
            self.come_or_go(name)

    def come_or_go(self, name: str) -> None:
        path = f"/rooms/{self.room}/members/{quote(name)}"
        if name not in self.inside:
            reply = self.server.request("PUT", path, token=self.tokens[self.choice.choice(self.inside)])
            self.inside.append(name)
        elif len(self.inside) > 1:
            reply = self.server.request("DELETE", path, token=self.tokens[name])
            self.inside.remove(name)
            if self.owner == name:
                self.owner = self.inside[0]
        else:
            return
        self.test.assertEqual(204, reply.status, str(reply))

    def settle(self) -> int:
        """Waits until every view has all events, and returns how many there are."""
        def settled() -> int:
            ready = self.server.request("GET", "/health/ready").json
            return ready["head"] if all(view["projected"] == ready["head"] for view in ready["views"]) else 0
        # A socket waits for what it was told only; here everything is to be seen.
        return wait_for(settled, "the views to be done")

    def close(self) -> None:
        for socket in self.sockets.values():
            socket.close()
