"""Who is online: type 8 and the pushes 50007, which come when a change has lasted and not while somebody reconnects."""

import contextlib
import unittest

from harness import Server, wait_for
from people import PeopleTest
from sockets import Socket, assert_code
from texts import account_names

SEED = 4_008
SETTLE_MILLISECONDS = 200
# Long enough that a client which reconnects at once is back before it is missed.
PATIENT_MILLISECONDS = 1_500
# One more than are shown by name.
LARGE_ROOM = 101


class Presence(PeopleTest):
    @classmethod
    def setUpClass(cls):
        settings = {"presence_settle_milliseconds": SETTLE_MILLISECONDS, "drain_seconds": 1}
        cls.server = Server({"server": settings}, mode="open").start()
        cls.addClassCleanup(cls.server.remove)
        cls.names = iter(account_names(SEED, 400))

    def people(self, count: int) -> list[str]:
        return [next(self.names) for _ in range(count)]

    def online(self, socket: Socket, **fields: object) -> list[str]:
        """Asks, checks the reply, and returns the accounts."""
        head = self.head
        reply = assert_code(self, 50000, socket.ask({"type": 8, "ref": "who"} | fields))
        self.assertEqual(("Server", 8, "who"), (reply["from"], reply["reply"], reply["ref"]), reply)
        self.assertEqual(len(reply["content"]), reply["online"])
        self.assertEqual(in_order(reply["content"]), reply["content"], "by the bytes of the names")
        self.assertLessEqual(reply["as_of"], max(head, self.head))
        return reply["content"]

    def wait_until(self, expected: list[str], socket: Socket, **place: str) -> None:
        """What a socket's opening or closing does to the presence of its user is seen a moment later."""
        wait_for(lambda: self.online(socket, **place) == in_order(expected), f"{expected} to be online")

    def pushed(self, socket: Socket, expected: list[str], **place: str) -> None:
        """The next push, and those after it while they show less than what is expected."""
        fields = {"from": "Server", "code": 50007, "event": "presence"} | place
        while True:
            frame = self.expect(fields, socket)[0]
            self.assertEqual((len(frame["content"]), None), (frame["online"], frame.get("offset")), frame)
            if frame["content"] == in_order(expected):
                return

    def test_who_counts_as_online(self):
        """Whoever has a socket that receives the conversation or room, of any kind; the asker too."""
        ann, bob, eve = self.people(3)
        room = self.make_room(ann, bob, eve)
        asker = self.session(ann)
        self.assertEqual([ann], self.online(asker, to=bob))
        self.assertEqual([ann], self.online(asker, room=room))
        for kind, opens, direct, in_room in [
            ("a session socket", lambda: self.session(bob), True, True),
            ("a conversation socket", lambda: self.pair(bob, ann), True, False),
            ("of another conversation", lambda: self.pair(bob, eve), False, False),
            ("a room socket", lambda: self.rooms(bob), False, True),
        ]:
            with self.subTest(kind):
                with opens() as socket:
                    # Answered, so it is open to its end.
                    socket.ask({"type": 4})
                    self.assertEqual(in_order([ann, bob] if direct else [ann]), self.online(asker, to=bob))
                    self.assertEqual(in_order([ann, bob] if in_room else [ann]), self.online(asker, room=room))
                self.wait_until([ann], asker, to=bob)
                self.wait_until([ann], asker, room=room)
        with self.rooms(bob) as other, self.pair(eve, ann) as pair:
            # On a conversation socket the place is its own.
            self.assertEqual(in_order([ann, eve]), self.online(pair))
            self.assertEqual(in_order([ann, bob]), self.online(other, room=room))
            self.remove(room, bob)
            self.wait_until([ann], asker, room=room)

    def test_changes_are_pushed_to_who_watches(self):
        """And to nobody else; an end of watching ends it, and so does leaving the room."""
        ann, bob, eve, dan = self.people(4)
        room = self.make_room(ann, bob, eve, dan)
        asker, pair, bystander = self.session(ann), self.pair(ann, bob), self.session(dan)
        here = [ann, dan]
        self.assertEqual([ann], self.online(asker, to=bob, watch=True))
        self.assertEqual([ann], self.online(pair, watch=True))
        self.assertEqual(in_order(here), self.online(asker, room=room, watch=True))
        self.assertEqual(in_order(here), self.online(bystander, room=room))
        with self.pair(bob, ann):
            self.pushed(asker, [ann, bob], to=bob)
            self.pushed(pair, [ann, bob], to=bob)
        self.pushed(asker, [ann], to=bob)
        self.pushed(pair, [ann], to=bob)
        with self.rooms(eve):
            self.pushed(asker, [*here, eve], room=room)
            self.remove(room, eve)
            self.pushed(asker, here, room=room)
            self.add(room, eve, by=ann)
            self.pushed(asker, [*here, eve], room=room)
        self.pushed(asker, here, room=room)
        # No more of bob, but of the room as before; and dan, who didn't ask, has heard nothing of all this.
        self.online(asker, to=bob, watch=False)
        with self.session(bob):
            self.pushed(pair, [ann, bob], to=bob)
            self.pushed(asker, [*here, bob], room=room)
        self.pushed(asker, here, room=room)
        self.say(asker, "end", room=room)
        self.expect_message("end", bystander)
        # Who leaves the room hears no more of it.
        self.online(bystander, room=room, watch=True)
        self.remove(room, ann)
        self.pushed(bystander, [dan], room=room)
        with self.rooms(eve):
            self.pushed(bystander, [dan, eve], room=room)
        self.say(bystander, "end", to=ann)
        self.expect_message("end", asker)

    def test_a_large_room_is_watched_by_number(self):
        """A room of over a hundred members pushes how many are online, and not who."""
        ann, *others = self.people(LARGE_ROOM)
        room = self.make_room(ann, *others)
        asker = self.session(ann)
        self.assertEqual([ann], self.online(asker, room=room, watch=True))
        opened = [self.rooms(other) for other in others[:5]]
        fields = {"from": "Server", "code": 50007, "event": "presence", "room": room}
        counts = [1]
        while counts[-1] != 6:
            frame = self.expect(fields, asker)[0]
            self.assertEqual((int, frame["online"]), (type(frame["content"]), frame["content"]), frame)
            counts.append(frame["content"])
        self.assertEqual(sorted(set(counts)), counts, "each push is news")
        opened[0].close()
        self.expect(fields | {"content": 5, "online": 5}, asker)
        self.assertEqual(in_order([ann, *others[1:5]]), self.online(asker, room=room))


class Reconnect(PeopleTest):
    def test_a_quick_reconnect_is_not_pushed(self):
        """Somebody who is back before the change has settled was never away; a real leave is pushed."""
        settings = {"presence_settle_milliseconds": PATIENT_MILLISECONDS, "drain_seconds": 1}
        self.server = Server({"server": settings}, mode="open").start()
        self.addCleanup(self.server.remove)
        room = self.make_room("ann", "bob", "eve")
        bob = self.session("bob")
        asker = self.session("ann")
        reply = asker.ask({"type": 8, "room": room, "watch": True})
        self.assertEqual(["ann", "bob"], reply["content"])
        for _ in range(5):
            bob.close()
            bob = self.session("bob")
        # Of eve's coming the watcher hears after all that could have been pushed of bob.
        eve = self.session("eve")
        self.expect({"code": 50007, "content": ["ann", "bob", "eve"], "online": 3, "room": room}, asker)
        eve.close()
        self.expect({"code": 50007, "content": ["ann", "bob"], "online": 2, "room": room}, asker)
        bob.close()
        self.expect({"code": 50007, "content": ["ann"], "online": 1, "room": room}, asker)


class Watches(unittest.TestCase):
    def test_a_socket_may_watch_so_many_and_no_more(self):
        """At limits.watches the next is refused; one that is watched already, or given up, makes no difference."""
        server = Server({"limits": {"watches": 2}}, mode="open").start()
        self.addCleanup(server.remove)
        with contextlib.ExitStack() as stack:
            for name in ("one", "two", "three"):
                stack.enter_context(Socket(server.url("/ws", account=name)).greeted())
            watcher = stack.enter_context(Socket(server.url("/ws", account="watcher")).greeted())

            def watch(peer: str, on: bool = True) -> dict:
                return watcher.ask({"type": 8, "to": peer, "watch": on})

            assert_code(self, 50000, watch("one"))
            assert_code(self, 50000, watch("two"))
            self.assertIn("2", assert_code(self, 50004, watch("three"))["content"])
            assert_code(self, 50000, watch("two"))
            assert_code(self, 50000, watch("one", on=False))
            assert_code(self, 50000, watch("three"))


def in_order(names: list[str]) -> list[str]:
    return sorted(names, key=str.encode)


if __name__ == "__main__":
    unittest.main()
