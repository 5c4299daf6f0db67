"""Live conversation: what others read, change and delete is pushed as it happens, to whom it concerns and no other.

That something doesn't come is seen by what comes next: a message sent after it, which a socket gets in the order of
offsets.
"""

import time
import unittest

from commands import CommandTest
from harness import Server
from model import read_log
from people import TIME, PeopleTest
from sockets import Socket, assert_code
from texts import account_names

SEED = 4_004
SMALL_ROOM = 3


class Live(PeopleTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server({"limits": {"receipt_members": SMALL_ROOM}}, mode="open").start()
        cls.addClassCleanup(cls.server.remove)
        cls.names = iter(account_names(SEED, 200))

    def people(self, count: int) -> list[str]:
        return [next(self.names) for _ in range(count)]

    # Reads

    def test_the_peer_is_told_what_was_read(self):
        """50005 goes to every socket of the other side, by whichever request it was read, and to none of the reader."""
        ann, bob = self.people(2)
        sessions = [self.session(ann) for _ in range(2)]
        told, seed = self.pair(ann, bob, events=1), self.pair(ann, bob)
        reader, other = self.session(bob), self.session(bob)
        offsets = [self.say(told, f"m{number}") for number in range(4)]
        for number in range(4):
            self.expect_message(f"m{number}", *sessions, reader, other)

        def check(upto: int) -> None:
            frames = self.expect({"from": bob, "code": 50005, "content": upto, "event": "read", "offset": upto,
                                  "sender": bob, "to": ann}, *sessions, told)
            self.assertEqual(1, len({frame["at"] for frame in frames}), frames)
            self.assertGreater(frames[0]["at"], offsets[-1])
            self.assertRegex(frames[0]["CreatedAt"], TIME)
        self.assertEqual(offsets[0], reader.ask({"type": 5, "to": ann, "upto": offsets[0]})["content"])
        check(offsets[0])
        assert_code(self, 50000, reader.ask({"type": 3, "to": ann, "limit": 2}))
        check(offsets[2])
        # What advances nothing is no news.
        assert_code(self, 50000, reader.ask({"type": 5, "to": ann, "upto": offsets[1]}))
        assert_code(self, 50000, reader.ask({"type": 2, "to": ann, "mark": False}))
        assert_code(self, 50000, reader.ask({"type": 2, "to": ann}))
        check(offsets[3])
        answer = self.say(reader, "answer", to=ann)
        self.expect_message("answer", *sessions, told, seed, other)
        # A conversation socket reads what is written to it, and both of hers have it; that is one mark.
        self.expect({"from": ann, "code": 50005, "content": answer, "sender": ann, "to": bob}, reader, other)
        self.say(sessions[0], "end", to=bob)
        self.expect_message("end", reader, other, sessions[1])

    def test_a_small_room_is_told_what_was_read(self):
        """50005 goes to the other members as long as the room has at most `limits.receipt_members`."""
        ann, bob, eve, dan = self.people(4)
        room = self.make_room(ann, bob, eve)
        reader, other, seed = self.session(bob), self.session(bob), self.rooms(ann)
        told = [self.session(ann), self.session(eve), self.rooms(ann, events=1)]
        for number in range(2):
            self.say(told[0], f"m{number}", room=room)
        for number in range(2):
            self.expect_message(f"m{number}", reader, other, seed, *told[1:])
        first = told[0].ask({"type": 2, "room": room})["content"][1]["ID"]
        assert_code(self, 50000, reader.ask({"type": 5, "room": room, "upto": first}))
        self.expect({"from": bob, "code": 50005, "content": first, "event": "read", "offset": first, "sender": bob,
                     "room": room}, *told)
        self.say(told[1], "between", room=room)
        self.expect_message("between", reader, other, seed, told[0], told[2])
        self.add(room, dan, by=ann)
        assert_code(self, 50000, reader.ask({"type": 5, "room": room}))
        self.say(told[1], "after", room=room)
        self.expect_message("after", reader, other, seed, told[0], told[2])

    # Typing

    def test_typing(self):
        """50006 reaches the other side's sockets, is limited to one a second, and leaves no trace in the log."""
        ann, bob, eve = self.people(3)
        room = self.make_room(ann, bob, eve)
        writer, pair = self.session(ann), self.pair(bob, ann, events=1)
        session, seed, third, in_room = self.session(bob), self.pair(bob, ann), self.session(eve), self.rooms(bob)
        self.say(session, "hello", to=eve)
        self.expect_message("hello", third)
        head = self.head
        writer.send({"type": 7, "to": bob, "content": True})
        frame = {"from": ann, "code": 50006, "content": True, "event": "typing", "sender": ann, "to": bob}
        for received in self.expect(frame, session, pair):
            self.assertNotIn("offset", received)
            self.assertNotIn("at", received)
        # The first goes through, then one a second, and the last word when its second is over.
        began = time.monotonic()
        for content in [True] * 200 + [False]:
            writer.send({"type": 7, "room": room, "content": content})
        for socket in (session, third):
            said = []
            while said[-1:] != [False]:
                received = self.expect({"from": ann, "code": 50006, "event": "typing", "sender": ann, "room": room},
                                       socket)[0]
                said.append(received["content"])
            self.assertTrue(said[0])
            self.assertLessEqual(len(said), 2 + time.monotonic() - began)
        self.assertEqual([], writer.delivered)
        writer.send({"type": 7, "to": bob, "content": False, "ref": "no reply"})
        self.expect(frame | {"content": False}, session, pair)
        self.assertEqual("next", writer.ask({"type": 4, "ref": "next"})["ref"])
        self.assertEqual(head, self.head, "typing is in no log")
        self.say(writer, "in the room", room=room)
        self.say(writer, "to bob", to=bob)
        self.expect_message("in the room", in_room, third)
        self.expect_message("to bob", seed)

    # Edits and deletions

    def test_an_edit_and_a_deletion_in_a_conversation(self):
        """Every socket of both sides is told but the one that asked, which has the ack; the history has the newest."""
        ann, bob = self.people(2)
        author, own, own_pair = self.session(ann), self.session(ann), self.pair(ann, bob, events=1)
        told = [own, own_pair, self.session(bob), self.pair(bob, ann, events=1)]
        seeds = [self.pair(ann, bob), self.pair(bob, ann)]
        target = self.say(author, "frist", to=bob)
        self.expect_message("frist", own, *told[2:], seeds[1])
        # Two conversation sockets of bob have shown it: he has read it, which comes before the edit.
        self.expect({"code": 50005, "offset": target}, author, own, own_pair)
        self.change_and_check(author, {"to": bob}, {"to": bob}, target, ann, told)
        # From a conversation socket, which has its conversation without saying it.
        target = self.say(own_pair, "second")
        self.expect_message("second", author, own, *told[2:], seeds[1])
        self.expect({"code": 50005, "offset": target}, author, own, own_pair)
        self.change_and_check(own_pair, {}, {"to": bob}, target, ann, [author, own, *told[2:]])
        self.say(told[2], "end", to=ann)
        self.expect_message("end", author, own, own_pair, seeds[0])
        self.say(author, "end", to=bob)
        self.expect_message("end", seeds[1])

    def test_an_edit_and_a_deletion_in_a_room(self):
        ann, bob, eve, dan = self.people(4)
        room = self.make_room(ann, bob, eve, dan)
        author, own, seed = self.session(ann), self.session(ann), self.rooms(bob)
        told = [own, self.session(bob), self.session(eve), self.rooms(ann, events=1), self.rooms(bob, events=1)]
        target = self.say(author, "frist", room=room)
        self.expect_message("frist", *told, seed)
        self.change_and_check(author, {"room": room}, {"room": room}, target, ann, told)
        target = self.say(told[3], "second", room=room)
        self.expect_message("second", author, *told, seed)
        self.change_and_check(told[3], {"room": room}, {"room": room}, target, ann, [author, *told[:3], told[4]])
        self.say(told[2], "end", room=room)
        self.expect_message("end", seed, author, *told[:2])

    def change_and_check(self, asker: Socket, place: dict, shown: dict, target: int, author: str,
                         told: list[Socket]) -> None:
        """Edits twice and deletes: the acks, the pushes, and the history after each."""
        ask = {"target": target} | place
        for content in ("first", "", "third \u2028 “🦊”"):
            ack = asker.ask({"type": 9, "content": content, "ref": "e"} | ask)
            self.assertEqual(("Server", 50000, target, 9, "e"),
                             tuple(ack.get(name) for name in ("from", "code", "content", "reply", "ref")), ack)
            frames = self.expect({"from": author, "code": 50008, "content": content, "event": "edited",
                                  "target": target, "offset": ack["offset"], "sender": author} | shown, *told)
            rows = asker.ask({"type": 2, "mark": False} | place)["content"]
            row = next(row for row in rows if row["ID"] == target)
            self.assertEqual((content, frames[0]["CreatedAt"], None),
                             (row["content"], row["UpdatedAt"], row["DeletedAt"]))
            self.assertLessEqual(row["CreatedAt"], row["UpdatedAt"])
        ack = asker.ask({"type": 10} | ask)
        self.assertEqual(("Server", 50000, target, 10),
                         tuple(ack.get(name) for name in ("from", "code", "content", "reply")), ack)
        self.expect({"from": author, "code": 50009, "content": "", "event": "deleted", "target": target,
                     "offset": ack["offset"], "sender": author} | shown, *told)
        answer = asker.ask({"type": 2, "mark": False} | place)
        self.assertNotIn(target, [row["ID"] for row in answer["content"]] if answer["code"] == 50000 else [])
        # Again is no error, and nothing new; a deleted message can't be edited.
        head = self.head
        again = assert_code(self, 50000, asker.ask({"type": 10} | ask))
        self.assertEqual((target, None), (again["content"], again.get("offset")), again)
        assert_code(self, 50022, asker.ask({"type": 9, "content": "x"} | ask))
        self.assertEqual(head, self.head)

    def test_what_is_deleted_is_not_unread(self):
        """It leaves types 2, 3 and 4 and the room's number; pages go on over it; what is edited stays unread."""
        ann, bob, eve = self.people(3)
        room = self.make_room(ann, bob, eve)
        author, reader = self.session(ann), self.session(bob)
        for place, here in (({"to": bob}, {"to": ann}), ({"room": room}, {"room": room})):
            with self.subTest(place=list(place)):
                offsets = [self.say(author, f"m{number}", **place) for number in range(6)]
                kept = [offsets[number] for number in (1, 3, 4)]
                for target in set(offsets) - set(kept):
                    assert_code(self, 50000, author.ask({"type": 10, "target": target} | place))
                assert_code(self, 50000, author.ask({"type": 9, "target": kept[1], "content": "edited"} | place))

                def total() -> int:
                    counts = reader.ask({"type": 4})
                    return counts["total_counts"] + sum(row["unread_count"] for row in counts["room_counts"])
                self.assertEqual(3, total())
                rows = reader.ask({"type": 3, "mark": False} | here)["content"]
                self.assertEqual([(kept[0], "m1"), (kept[1], "edited"), (kept[2], "m4")],
                                 [(row["ID"], row["content"]) for row in rows])
                for kind, expected in ((2, kept[::-1]), (3, kept)):
                    for limit in (1, 2, 3, 4):
                        page = reader.ask({"type": kind, "limit": limit, "mark": False} | here)
                        self.assertEqual((expected[:limit], limit < 3),
                                         ([row["ID"] for row in page["content"]], page["more"]), (kind, limit))
                assert_code(self, 50000, reader.ask({"type": 5, "upto": kept[0]} | here))
                self.assertEqual(2, total())
                assert_code(self, 50000, author.ask({"type": 10, "target": kept[0]} | place))
                self.assertEqual(2, total(), "it had been read")
                for target in kept[1:]:
                    assert_code(self, 50000, author.ask({"type": 10, "target": target} | place))
                self.assertEqual(0, total())
                assert_code(self, 50001, reader.ask({"type": 3} | here))
                assert_code(self, 50001, reader.ask({"type": 2} | here))

    # What is refused

    def test_changes_that_are_refused(self):
        """Not the author, no such message here, too large: nothing is appended, and nobody hears of it."""
        ann, bob, eve = self.people(3)
        room, other_room = self.make_room(ann, bob), self.make_room(ann, bob)
        author, peer, stranger = self.session(ann), self.session(bob), self.session(eve)
        seed = self.pair(bob, ann)
        direct = self.say(author, "direct", to=bob)
        in_room = self.say(author, "room", room=room)
        self.say(author, "more", to=bob)
        head = self.head
        # A conversation socket reads what it shows.
        self.expect_message("direct", seed, peer)
        self.expect({"code": 50005}, author)
        self.expect_message("room", peer)
        self.expect_message("more", seed, peer)
        self.expect({"code": 50005}, author)
        head = self.head
        for name, code, socket, fields in [
            ("the receiver's", 50021, peer, {"to": ann, "target": direct}),
            ("another member's", 50021, peer, {"room": room, "target": in_room}),
            ("not a member", 50021, stranger, {"room": room, "target": in_room}),
            ("another conversation's", 50022, author, {"to": eve, "target": direct}),
            ("a room's, as if direct", 50022, author, {"to": bob, "target": in_room}),
            ("another room's", 50022, author, {"room": other_room, "target": in_room}),
            ("no message", 50022, author, {"to": bob, "target": 1}),
            ("past the head", 50022, author, {"to": bob, "target": head + 1_000}),
            ("far past the head", 50022, author, {"to": bob, "target": 2**53 - 1}),
            ("somebody unknown", 50022, author, {"to": "nobody at all", "target": direct}),
            ("no room", 50022, author, {"room": "no uuid", "target": in_room}),
            ("a stranger's to the author", 50022, stranger, {"to": ann, "target": direct}),
        ]:
            for kind in (9, 10):
                with self.subTest(name, type=kind):
                    reply = socket.ask({"type": kind, "content": "mine now", "ref": name} | fields)
                    assert_code(self, code, reply)
                    self.assertEqual((kind, name, None), (reply.get("reply"), reply.get("ref"), reply.get("offset")))
        reply = author.ask({"type": 9, "to": bob, "target": direct, "content": "x" * 65_537})
        assert_code(self, 50023, reply)
        # Writing to eve let her be known; nothing else has happened.
        self.assertEqual(head, self.head)
        self.say(author, "end", to=bob)
        self.expect_message("end", seed, peer)

    def test_bad_fields(self):
        """A field that is missing or of the wrong kind is a 50020, which appends nothing and ends nothing."""
        ann, bob = self.people(2)
        socket = self.session(ann)
        target = self.say(socket, "x", to=bob)
        place = {"to": bob}
        head = self.head
        cases: list[dict] = [{"type": 6}, {"type": 7} | place, {"type": 7, "content": True}, {"type": 8},
                             {"type": 9, "content": "x"} | place, {"type": 9, "target": target, "content": "x"},
                             {"type": 10} | place, {"type": 10, "target": target},
                             {"type": 11} | place, {"type": 0} | place, {"type": -6, "after": 0}]
        cases += [{"type": 6, "after": value} for value in (-1, 1.5, "0", True, [], None, 2**53)]
        cases += [{"type": 6, "after": 0, "log": value} for value in (1, True, [], {})]
        cases += [{"type": 7, "content": value} | place for value in ("true", 1, None, [], {})]
        cases += [{"type": 8, "watch": value} | place for value in ("true", 1, [], {})]
        cases += [{"type": kind, "target": value, "content": "x"} | place
                  for kind in (9, 10) for value in (0, -1, 1.5, str(target), True, [], None, 2**53)]
        cases += [{"type": 9, "target": target, "content": value} | place for value in (1, True, [], {})]
        for case in cases:
            with self.subTest(case=case):
                reply = assert_code(self, 50020, socket.ask(case | {"ref": 1}))
                self.assertEqual(("Server", str, 1),
                                 (reply["from"], type(reply["content"]), reply.get("ref")), reply)
        self.assertEqual(head, self.head)
        self.assertEqual([], socket.delivered)
        for kind in (7, 8):
            for code, refused in ((50022, {"to": "nobody at all"}), (50022, {"room": "no uuid"}),
                                  (50021, {"room": "00000000-0000-4000-8000-000000000000"})):
                with self.subTest(type=kind, place=refused):
                    assert_code(self, code, socket.ask({"type": kind, "content": True} | refused))

    # Who gets what

    def test_a_seeds_socket_is_told_nothing_until_it_asks(self):
        """Its own request of type 5 to 10 brings the pushes, and so does ?events=1; types 1 to 4 don't."""
        for kind in range(1, 11):
            with self.subTest(type=kind):
                ann, bob = self.people(2)
                room = self.make_room(ann, bob)
                author = self.session(ann)
                seeds = {"direct": self.pair(bob, ann), "room": self.rooms(bob)}
                places = {"direct": {"to": bob}, "room": {"room": room}}
                targets = {name: self.say(author, f"{name} 1", **places[name]) for name in seeds}
                asked = {"upto": 1, "after": self.head, "watch": False, "target": 1, "limit": 1, "mark": False}
                for name, socket in seeds.items():
                    edit = {"type": 9, "target": targets[name]} | places[name]
                    assert_code(self, 50000, author.ask(edit | {"content": "before"}))
                    self.say(author, f"{name} 2", **places[name])
                    self.expect_message(f"{name} 1", socket)
                    self.expect_message(f"{name} 2", socket)
                    socket.send({"type": kind, "room": room, "ref": "asked", "content": kind == 7 or "x"} | asked)
                    # Typing has no reply; that of the next request comes after it.
                    socket.send({"type": 4, "ref": "fence"})
                    while socket.reply().get("ref") != "fence":
                        pass
                    socket.delivered.clear()
                    offset = author.ask(edit | {"content": "after"})["offset"]
                    self.say(author, f"{name} 3", **places[name])
                    if kind >= 5:
                        self.expect({"from": ann, "code": 50008, "content": "after", "target": targets[name],
                                     "offset": offset} | places[name], socket)
                    self.expect_message(f"{name} 3", socket)

    def test_all_sockets_of_a_user_get_everything(self):
        """Each of several sockets has all frames, in order; the sender's others too, with the id."""
        ann, bob = self.people(2)
        room = self.make_room(ann, bob)
        author = self.session(ann)
        sessions = [self.session(ann) for _ in range(3)]
        theirs = [self.session(bob) for _ in range(3)]
        pairs = [self.pair(bob, ann, events=1) for _ in range(2)]
        rooms = [self.rooms(name, events=1) for name in (ann, bob, bob)]
        for number in range(5):
            for place, seeds in (({"to": bob}, pairs), ({"room": room}, rooms)):
                name = f"{'r' if 'room' in place else 'd'}{number}"
                ack = author.ask({"type": 1, "content": name, "id": name} | place)
                fields = {"from": ann, "content": name, "offset": ack["offset"], "sender": ann} | place
                self.expect(fields | {"id": name}, *sessions)
                for frame in self.expect(fields, *theirs):
                    self.assertNotIn("id", frame, "an id is its sender's")
                self.expect_message(name, *seeds)
                if seeds is pairs:
                    self.expect({"code": 50005, "content": ack["offset"], "sender": bob}, author, *sessions)
        self.assertEqual([], author.ask({"type": 4})["unread_counts"])
        self.assertEqual([], author.delivered)


class Versions(CommandTest):
    def test_the_audit_shows_every_version(self):
        """What was sent, each edit and the deletion are events; the history has what is left of them."""
        server = self.server(mode="open")
        with Socket(server.url("/ws", account="ann")).greeted() as socket:
            place = {"to": "bob"}
            target = socket.ask({"type": 1, "content": "one"} | place)["offset"]
            acks = [socket.ask({"type": 9, "target": target, "content": content} | place) for content in ("two", "")]
            acks.append(socket.ask({"type": 10, "target": target} | place))
            self.assertEqual(50001, socket.ask({"type": 2} | place)["code"])
        for running in (True, False):
            listed = read_log(server.data, "--type", "MessageSent", "--type", "MessageEdited", "--type",
                              "MessageDeleted")
            self.assertEqual(
                [("MessageSent", target, 0, "one"), ("MessageEdited", acks[0]["offset"], target, "two"),
                 ("MessageEdited", acks[1]["offset"], target, ""),
                 ("MessageDeleted", acks[2]["offset"], target, None)],
                [(event["type"], event["offset"], event["reference"], event.get("content")) for event in listed])
            if running:
                self.assertEqual(0, server.stop())
        self.assertIn("identical", self.run_command(0, "replay", "--verify", "--data", server.data))


if __name__ == "__main__":
    unittest.main()
