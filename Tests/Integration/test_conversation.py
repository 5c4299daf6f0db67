"""Two users and a room, with thousands of messages of real text, compared with a model after each step."""

import unittest

from harness import Server, quote
from sockets import Collector, Socket, assert_code
from texts import account_names, texts

EACH_WAY = 1_200
IN_ROOM = 800
# How many sends go out before their acks are read: the pipeline of a busy client, bounded for both sides.
WINDOW = 100
SEED = 20_241


class Conversation(unittest.TestCase):
    """One server for all tests of the class; every test has accounts of its own."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.remove)
        cls.names = iter(account_names(SEED, 60))

    def people(self, count: int) -> list[tuple[str, str]]:
        return [(name, self.server.account(name)) for name in (next(self.names) for _ in range(count))]

    def send_all(self, socket: Socket, frames: list[dict], expected: tuple = (50002, 50003)) -> list[int]:
        """Sends the frames in windows and returns the offsets of their acks."""
        offsets: list[int] = []
        for start in range(0, len(frames), WINDOW):
            window = frames[start:start + WINDOW]
            for frame in window:
                socket.send(frame)
            for frame in window:
                ack = assert_code(self, expected, socket.reply(), f"the ack of {frame}")
                self.assertEqual(1, ack.get("reply"), ack)
                offsets.append(ack["offset"])
        return offsets

    def test_both_directions_over_conversation_sockets(self):
        """Every message arrives once, in order, character for character; history and counts agree with the model."""
        (ann, ann_token), (bob, bob_token) = self.people(2)
        words = texts(SEED)
        sent = {who: [next(words) for _ in range(EACH_WAY)] for who in (ann, bob)}
        # The three ways to show a token: the header, the query, and the subprotocols of a browser.
        with Socket(self.server.url("/ws", send_id=ann, receive_id=bob, token=ann_token)).greeted() as left, \
                Socket(self.server.url("/ws", send_id=bob, receive_id=ann),
                       subprotocols=["bearer", bob_token]).greeted() as right:
            self.assertEqual("bearer", right.connection.subprotocol)
            rows = []
            for me, peer, mine, theirs in [(ann, bob, left, right), (bob, ann, right, left)]:
                collector = Collector(theirs, EACH_WAY)
                offsets = self.send_all(mine, [{"type": 1, "content": text} for text in sent[me]], (50002,))
                frames = collector.finish()
                self.assertEqual(sent[me], [frame["content"] for frame in frames])
                self.assertEqual(offsets, [frame["offset"] for frame in frames])
                self.assertEqual({50000}, {frame["code"] for frame in frames})
                self.assertEqual({me}, {frame["sender"] for frame in frames})
                rows += [(offset, me, peer, text) for offset, text in zip(offsets, sent[me])]
            self.assertEqual(sorted(set(rows)), rows, "offsets grow with each message")

            answer = left.ask({"type": 2})
            self.check_rows(rows[::-1], answer["content"])
            self.assertGreaterEqual(answer["as_of"], rows[-1][0])
            # Both conversation sockets have shown everything: nothing is unread on either side.
            for socket in (right, left):
                self.assertEqual(0, socket.ask({"type": 4})["total_counts"])
                assert_code(self, 50001, socket.ask({"type": 3}))

    def check_rows(self, expected: list[tuple], rows: list[dict]):
        actual = [(row["ID"], row["send_id"], row["receive_id"], row["content"]) for row in rows]
        self.assertEqual(len(expected), len(actual), "the number of rows")
        for number, (want, got) in enumerate(zip(expected, actual)):
            self.assertEqual(want, got, f"row {number} of {len(expected)}")

    def test_a_room_over_all_kinds_of_sockets(self):
        """Room sockets see the echo, session sockets the envelope; history has it all; leaving ends it."""
        (ann, ann_token), (bob, bob_token), (eve, eve_token) = self.people(3)
        room = self.server.room(ann_token, "会議室 🎉", [bob])
        words = texts(SEED + 1)
        sent = [next(words) for _ in range(IN_ROOM)]
        with self.server.room_socket(ann, ann_token) as left, self.server.room_socket(bob, bob_token) as right, \
                self.server.session(bob_token) as session, self.server.session(eve_token) as stranger:
            collectors = [Collector(socket, IN_ROOM) for socket in (left, right, session)]
            for text in sent:
                left.send({"Msg": text, "RoomId": room})
            echo, theirs, envelopes = [collector.finish() for collector in collectors]
            for frames in (echo, theirs):
                self.assertEqual(sent, [frame["context"] for frame in frames])
                self.assertEqual({(ann, room)}, {(frame["Sender"], frame["roomId"]) for frame in frames})
            self.assertEqual(sent, [frame["content"] for frame in envelopes])
            self.assertEqual({(ann, ann, room)}, {(f["from"], f["sender"], f["room"]) for f in envelopes})
            offsets = [frame["offset"] for frame in envelopes]
            self.assertEqual(sorted(set(offsets)), offsets)

            counts = session.ask({"type": 4})
            self.assertEqual([{"room": room, "unread_count": IN_ROOM}], counts["room_counts"])
            self.assertEqual(0, counts["total_counts"], "total_counts is for direct messages only")
            history = session.ask({"type": 2, "room": room})
            self.assertEqual(sent[::-1], [row["content"] for row in history["content"]])
            self.assertEqual([], session.ask({"type": 4})["room_counts"])

            for request in ({"type": 2}, {"type": 3}, {"type": 1, "content": "let me in"}, {"type": 5}):
                assert_code(self, 50021, stranger.ask(request | {"room": room}), f"a stranger's {request}")
            # After leaving nothing more arrives, and a newcomer sees the room's history from its beginning.
            gone = self.server.request("DELETE", f"/rooms/{room}/members/{quote(bob)}", token=bob_token)
            self.assertEqual(204, gone.status, str(gone))
            self.assertEqual(204, self.server.request("PUT", f"/rooms/{room}/members/{quote(eve)}",
                                                      token=ann_token).status)
            left.send({"Msg": "after", "RoomId": room})
            self.assertEqual("after", left.delivery()["context"])
            self.assertEqual("after", stranger.delivery()["content"])
            rows = stranger.ask({"type": 2, "room": room})["content"]
            self.assertEqual(IN_ROOM + 1, len(rows))
            assert_code(self, 50021, session.ask({"type": 2, "room": room}))
            self.assertEqual([], session.delivered, "what came to someone who had left")

    def test_a_session_socket_sees_everything_of_its_user(self):
        """Messages from several peers come in offset order; one's own other session sees them too, the sender's not."""
        (ann, ann_token), *others = self.people(4)
        with self.server.session(ann_token) as one, self.server.session(ann_token) as two:
            for socket in (one, two):
                self.assertEqual(("Server", 50000, "连接成功"),
                                 tuple(socket.greeting[name] for name in ("from", "code", "content")))
                self.assertIsInstance(socket.greeting["limits"], dict)
            expected = []
            for number, (peer, token) in enumerate(others):
                with self.server.conversation(peer, ann, token) as socket:
                    ack = assert_code(self, 50002, socket.ask({"type": 1, "content": f"hello {number}"}))
                    expected.append((ack["offset"], peer, ann, f"hello {number}"))
            ack = assert_code(self, 50003, one.ask({"type": 1, "to": others[0][0], "content": "back"}))
            own = (ack["offset"], ann, others[0][0], "back")
            self.assertEqual(expected, [summary(one.delivery()) for _ in expected])
            self.assertEqual(expected + [own], [summary(two.delivery()) for _ in range(4)])
            # A message to oneself: the ack, and one delivery.
            ack = one.ask({"type": 1, "to": ann, "content": "note to self"})
            self.assertEqual((ack["offset"], ann, ann, "note to self"), summary(one.delivery()))
            counts = one.ask({"type": 4})
            self.assertEqual([], one.delivered, "deliveries that should not be")
            self.assertEqual(sorted(peer for peer, _ in others), sorted(
                row["send_id"] for row in counts["unread_counts"] if row["send_id"] != ann))
            assert_code(self, 50022, one.ask({"type": 1, "to": "nobody at all", "content": "?"}))

    def test_is_read_and_the_counts_follow_the_model(self):
        """Rows show is_read as it was before the query; types 2, 3 and 5 read, mark:false does not."""
        (ann, ann_token), (bob, bob_token), (eve, eve_token) = self.people(3)
        with self.server.session(ann_token) as left, self.server.session(bob_token) as right, \
                self.server.session(eve_token) as third:
            offsets = self.send_all(left, [{"type": 1, "to": bob, "content": f"m{n}"} for n in range(10)])
            self.send_all(third, [{"type": 1, "to": bob, "content": f"e{n}"} for n in range(2)])
            both = sorted([{"send_id": ann, "unread_count": 10}, {"send_id": eve, "unread_count": 2}],
                          key=lambda row: row["send_id"].encode())
            # A query sees what its own socket was shown; another socket's ack may be a moment ahead of that.
            for _ in range(12):
                right.delivery()
            counts = right.ask({"type": 4})
            self.assertEqual((12, both), (counts["total_counts"], counts["unread_counts"]))

            unmarked = right.ask({"type": 3, "to": ann, "mark": False})
            self.assertEqual([False] * 10, [bool(row["is_read"]) for row in unmarked["content"]])
            self.assertEqual(12, right.ask({"type": 4})["total_counts"])
            page = right.ask({"type": 3, "to": ann, "limit": 3})
            self.assertEqual((offsets[:3], True), ([row["ID"] for row in page["content"]], page["more"]))
            self.assertEqual(9, right.ask({"type": 4})["total_counts"])
            answer = right.ask({"type": 5, "to": ann, "upto": offsets[5]})
            self.assertEqual((50000, offsets[5], 5), (answer["code"], answer["content"], answer["reply"]))
            self.assertEqual(6, right.ask({"type": 4})["total_counts"])
            # Going back is no error and changes nothing.
            assert_code(self, 50000, right.ask({"type": 5, "to": ann, "upto": offsets[0]}))
            rows = right.ask({"type": 2, "to": ann})["content"]
            self.assertEqual([False] * 4 + [True] * 6, [bool(row["is_read"]) for row in rows])
            rows = right.ask({"type": 2, "to": ann})["content"]
            self.assertEqual([True] * 10, [bool(row["is_read"]) for row in rows])
            # Reading one peer's messages reads that peer's, not everybody's.
            self.assertEqual([{"send_id": eve, "unread_count": 2}], right.ask({"type": 4})["unread_counts"])
            assert_code(self, 50000, right.ask({"type": 5, "to": eve}))
            self.assertEqual((0, []), tuple(right.ask({"type": 4})[k] for k in ("total_counts", "unread_counts")))
            # What was delivered to a session socket is not read; what was written to a conversation socket is.
            with self.server.conversation(bob, ann, bob_token) as open_socket:
                self.send_all(left, [{"type": 1, "to": bob, "content": "seen"}], (50002,))
                open_socket.delivery()
                self.assertEqual(0, open_socket.ask({"type": 4})["total_counts"])

    def test_paging_refs_and_ids(self):
        """Pages put together are the whole; a ref comes back as it was; an id appends once, also after a restart."""
        (ann, ann_token), (bob, bob_token) = self.people(2)
        with self.server.session(ann_token) as socket:
            offsets = self.send_all(socket, [{"type": 1, "to": bob, "content": f"n{n}"} for n in range(250)])
            for limit in (1, 7, 100, 249, 250, 251, 10_000):
                pages, before = [], {}
                while True:
                    page = socket.ask({"type": 2, "to": bob, "limit": limit} | before)
                    if page["code"] == 50001:
                        self.assertFalse(page.get("more", False), page)
                        break
                    rows = [row["ID"] for row in page["content"]]
                    self.assertLessEqual(len(rows), limit)
                    pages += rows
                    self.assertEqual(pages[-1] > offsets[0], page["more"], f"limit {limit}: {str(page)[:200]}")
                    before = {"before": rows[-1]}
                    if limit == 1 and len(pages) >= 5:
                        break
                self.assertEqual(offsets[::-1][:len(pages)], pages, f"limit {limit}")
                self.assertTrue(limit == 1 or len(pages) == 250, f"limit {limit}: {len(pages)} rows")
            for ref in (7, "七", "x" * 64, 0):
                for request in ({"type": 2, "limit": 1, "to": bob}, {"type": 4}, {"type": 99}, {"type": 5, "to": bob},
                                {"type": 1, "to": bob, "content": "r"}, {"type": 1, "to": "nobody", "content": "r"}):
                    answer = socket.ask(request | {"ref": ref})
                    self.assertEqual((str, ref) if isinstance(ref, str) else (int, ref),
                                     (type(answer.get("ref")), answer.get("ref")), f"{request} got {str(answer)[:300]}")
            first = socket.ask({"type": 1, "to": bob, "content": "once", "id": "ид-1"})
            self.assertEqual("ид-1", first["id"])
            again = socket.ask({"type": 1, "to": bob, "content": "once", "id": "ид-1"})
            self.assertEqual((first["offset"], "ид-1", True), (again["offset"], again["id"], again.get("duplicate")))
        self.assertEqual(0, self.server.stop())
        self.server.start()
        with self.server.session(ann_token) as socket, self.server.session(bob_token) as other:
            again = socket.ask({"type": 1, "to": bob, "content": "once", "id": "ид-1"})
            while again["code"] == 50030:
                again = socket.ask({"type": 1, "to": bob, "content": "once", "id": "ид-1"})
            self.assertEqual((first["offset"], True), (again["offset"], again.get("duplicate")))
            # The id is the sender's own: another's same id is another message.
            theirs = other.ask({"type": 1, "to": ann, "content": "mine", "id": "ид-1"})
            self.assertNotEqual(first["offset"], theirs["offset"])
            rows = socket.ask({"type": 2, "to": bob})["content"]
            self.assertEqual(1, sum(row["content"] == "once" for row in rows))
            self.assertLessEqual(rows[0]["ID"], socket.ask({"type": 2, "to": bob})["as_of"])


def summary(frame: dict) -> tuple:
    assert frame["from"] == frame["sender"] and frame["code"] == 50000 and frame["event"] == "message", frame
    return frame["offset"], frame["sender"], frame["to"], frame["content"]


if __name__ == "__main__":
    unittest.main()
