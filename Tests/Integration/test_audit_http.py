"""`/audit`: the log and its tree over HTTP, for auditors only, each look at content an event; attested views."""

import json
import unittest

import transparency
from commands import CommandTest
from harness import Reply, Server, wait_for
from sockets import assert_code

PATHS = ("/audit/checkpoint", "/audit/tile/0/000.p/1", "/audit/tile/entries/000.p/1", "/audit/proof/1",
         "/audit/consistency?from=1", "/audit/events")


class AuditHTTP(CommandTest):
    def filled(self, count: int, **audit) -> Server:
        """A server with two people, a room and so many messages, and an auditor who can ask."""
        server = self.server(config={"audit": {"auditors": ["审计", "nobody yet"]} | audit})
        self.auditor = server.account("审计")
        self.ann, self.bob = server.account("ann"), server.account("bob")
        self.room = server.room(self.ann, "kitchen", ["bob"])
        with server.session(self.ann) as socket:
            for number in range(count):
                place = {"room": self.room} if number % 10 == 0 else {"to": "bob"}
                socket.send({"type": 1, "content": f"message {number}"} | place)
            for _ in range(count):
                assert_code(self, (50002, 50003), socket.reply())
        return server

    def get(self, server: Server, path: str, status: int = 200, token: str | None = None) -> Reply:
        reply = server.request("GET", path, token=token or self.auditor)
        self.assertEqual(status, reply.status, f"{path}: {reply}")
        if status != 200:
            self.assertTrue(reply.json["error"], path)
        return reply

    def listed(self, server: Server, *options: str) -> list[dict]:
        printed = self.run_command(0, "audit", "list", "--format", "json", "--data", server.data, *options)
        return [json.loads(line) for line in printed.splitlines()]

    def reads(self, server: Server) -> list[str]:
        found = self.listed(server, "--type", "AuditorRead")
        self.assertTrue(all(event["actor"] == "审计" for event in found), str(found))
        return [event["request"] for event in found]

    def pages(self, server: Server, query: str) -> list[dict]:
        """All pages up to what the log held at the first."""
        found = [self.get(server, f"/audit/events?{query}").json]
        while found[-1]["more"]:
            self.assertLess(len(found), 2_000, "paging doesn't end")
            after, upto = found[-1]["next"], found[0]["as_of"]
            found.append(self.get(server, f"/audit/events?{query}&after={after}&upto={upto}").json)
        return found

    def test_nobody_but_auditors(self):
        server = self.filled(1)
        before = self.listed(server)
        for path in PATHS + ("/audit/proof/999", "/audit/tile/9/000", "/audit/events?user=ann&limit=x"):
            self.assertEqual({"error"}, set(self.get(server, path, 403, self.ann).json))
            reply = server.request("GET", path)
            self.assertEqual(401, reply.status, f"{path}: {reply}")
            self.assertNotIn("message 0", str(reply))
            self.assertEqual(401, server.request("GET", path, token=self.auditor[:-2]).status)
            separator = "&" if "?" in path else "?"
            self.assertEqual(401, server.request("GET", f"{path}{separator}account=%E5%AE%A1%E8%AE%A1").status)
        self.assertEqual(before, self.listed(server), "what is refused leaves nothing in the log")
        for path in PATHS:
            self.assertEqual("*", server.request("GET", path, token=self.auditor, headers={"Origin": "https://a.b"})
                             .headers["Access-Control-Allow-Origin"])
            self.assertEqual(405, server.request("POST", path.split("?")[0], token=self.auditor).status, path)

    def test_mode_open(self):
        server = self.server(mode="open", config={"audit": {"auditors": ["eve"]}})
        self.assertEqual(403, server.request("GET", "/audit/events?account=mallory").status)
        self.assertEqual(401, server.request("GET", "/audit/events").status)
        self.assertEqual([], self.listed(server), "a name that may not ask doesn't become a guest's")
        first = server.request("GET", "/audit/events?account=eve").json
        self.assertEqual([("GuestSeen", "eve")], [(event["type"], event["actor"]) for event in first["events"]])

    def test_tree_is_verified_by_a_stranger(self):
        server = self.filled(600)
        note = self.get(server, "/audit/checkpoint")
        self.assertEqual("text/plain; charset=utf-8", note.headers["Content-Type"])
        self.assertEqual("no-store", note.headers["Cache-Control"])
        head = transparency.checkpoint(note.body)
        log = next(line.split()[1] for line in server.lines if line.split()[:1] == ["log"]).split(".")[0]
        self.assertEqual((f"quipu/{log}", [f"quipu/{log}"]), (head.origin, head.signers))
        self.assertGreater(head.size, 600)

        leaves, found = [], []
        for path in transparency.tile_paths(0, head.size):
            reply = self.get(server, f"/audit/{path}")
            self.assertEqual("application/octet-stream", reply.headers["Content-Type"])
            self.assertEqual(".p/" not in path, "immutable" in reply.headers["Cache-Control"], path)
            leaves += transparency.hashes(reply.body)
        for path in transparency.tile_paths("entries", head.size):
            found += transparency.entries(self.get(server, f"/audit/{path}").body)
        self.assertEqual(head.size, len(found))
        self.assertEqual(leaves, [transparency.leaf_hash(entry) for entry in found])
        self.assertEqual(head.root, transparency.root_hash(leaves))
        [upper] = transparency.tile_paths(1, head.size // 256)
        expected = [transparency.root_hash(leaves[at:at + 256]) for at in range(0, head.size // 256 * 256, 256)]
        self.assertEqual(expected, transparency.hashes(self.get(server, f"/audit/{upper}").body))
        self.assertEqual(note.body, self.get(server, "/audit/consistency?from=0&to=%d" % head.size).body.split(
            b"\n\n", 1)[1], "the same checkpoint of the same size")

        for offset in (1, 2, 256, 257, head.size):
            proof = transparency.proof(self.get(server, f"/audit/proof/{offset}?size={head.size}").body)
            self.assertEqual((offset - 1, head), (proof.index, proof.checkpoint))
            self.assertTrue(transparency.is_included(proof), offset)
            other = bytearray(proof.record)
            other[100] ^= 1
            self.assertFalse(transparency.is_included(proof._replace(record=bytes(other))))
        sent = self.listed(server, "--type", "MessageSent", "--limit", "1")[0]
        proof = transparency.proof(self.get(server, f"/audit/proof/{sent['offset']}").body)
        self.assertTrue(transparency.is_included(proof))
        self.assertIn(sent["content"].encode(), proof.record)
        self.assertTrue(transparency.proof(self.get(server, "/audit/proof/1").body).record[3] & 0x80,
                        "a password's hash is not shown")
        newer = self.get(server, f"/audit/consistency?from={head.size}").body
        self.assertGreater(transparency.continues(head, newer).size, head.size)
        self.assertIsNone(transparency.continues(head._replace(root=bytes(32)), newer))

    def test_what_is_not_there_and_what_makes_no_sense(self):
        server = self.filled(3)
        before = self.listed(server)
        size = len(before)
        for path in (f"tile/0/000.p/{size + 1}", "tile/0/000", "tile/1/000", "tile/entries/001", "proof/999",
                     f"proof/{size}?size={size - 1}", f"proof/1?size={size + 1}", f"consistency?from={size + 1}",
                     f"consistency?from=1&to={size + 1}", f"events?upto={size + 1}", "events?user=mallory",
                     "events?room=00000000-0000-4000-8000-000000000000", "tile/0/x999/x999/x999/x999/x999/999",
                     "nothing"):
            self.get(server, f"/audit/{path}", 404)
        for path in ("tile/0/0", "tile/8/000", "tile/x/000", "tile/0/000.p/256", "tile/0/000.p/0", "tile//0/000",
                     "tile/0/000.p/1?size=1", "proof/0", "proof/01", "proof/-1", "proof/x", "proof/1?size=x",
                     "consistency", "consistency?from=2&to=1", "consistency?from=-1", "checkpoint?token=x",
                     "events?limit=0", "events?limit=1001", "events?limit=x", "events?after=x", "events?type=Nothing",
                     "events?since=yesterday", "events?peer=ann", "events?room=kitchen", "events?usr=ann",
                     f"events?user=ann&peer=bob&room={self.room}", "events?user=ann&user=bob", "events?token=secret"):
            self.get(server, f"/audit/{path}", 400)
        self.assertEqual(before, self.listed(server), "what shows nothing isn't recorded")

    def test_every_look_at_content_is_an_event(self):
        server = self.filled(3)
        requests = ["/audit/events", "/audit/events?user=ann&type=MessageSent&type=MessagesRead", "/audit/proof/2",
                    "/audit/proof/2?size=5", "/audit/tile/entries/000.p/4"]
        for path in ("/audit/checkpoint", "/audit/tile/0/000.p/4", "/audit/consistency?from=2", *requests):
            reply = self.get(server, path)
            self.assertNotIn(self.auditor.encode(), reply.body)
        self.assertEqual(requests, self.reads(server))
        self.assertNotIn(self.auditor, json.dumps(self.listed(server)))
        self.assertEqual(requests, [event["request"] for event in self.get(
            server, "/audit/events?type=AuditorRead&user=%E5%AE%A1%E8%AE%A1").json["events"]])

    def test_events_are_those_of_the_command_and_pages_end(self):
        server = self.filled(40, scan_events=7, page_events=50)
        listed = self.listed(server)
        for query in ("limit=1", "limit=3", "limit=50", "user=ann&peer=bob&limit=2", f"room={self.room}"):
            pages = self.pages(server, query)
            events = [event for page in pages for event in page["events"]]
            options = {"user=ann&peer=bob&limit=2": ("--user", "ann", "--peer", "bob"),
                       f"room={self.room}": ("--room", self.room)}.get(query, ())
            self.assertEqual([event for event in self.listed(server, *options) if event["offset"] <= pages[0]["as_of"]],
                             events, query)
            self.assertEqual((False, pages[0]["as_of"]), (pages[-1]["more"], pages[-1]["next"]))
        # A page looks at no more than it may, found or not, and says where to go on.
        page = self.get(server, "/audit/events?type=LoginFailed").json
        self.assertEqual(([], True, 7), (page["events"], page["more"], page["next"]))
        middle = listed[len(listed) // 2]["time"]
        since = self.pages(server, f"type=MessageSent&since={middle}&until=2100-01-01")
        self.assertEqual([event for event in listed if event["type"] == "MessageSent" and event["time"] >= middle],
                         [event for page in since for event in page["events"]])
        # Without `upto` too, as long as a page shows more than the one event that it makes.
        after, more = 0, True
        for _ in range(1_000):
            page = self.get(server, f"/audit/events?after={after}&limit=50").json
            after, more = page["next"], page["more"]
            if not more:
                break
        self.assertFalse(more)
        small = self.filled(5, page_bytes=1)
        self.assertEqual([1], [event["offset"] for event in self.get(small, "/audit/events").json["events"]])

    def test_nothing_is_shown_that_cannot_be_recorded(self):
        server = self.server(config={"audit": {"auditors": ["审计"]}, "log": {"map_bytes": 1_048_576}})
        self.auditor, ann = server.account("审计"), server.account("ann")
        with server.session(ann) as socket:
            for content in ("x" * 20_000, "y" * 1_000, "z"):
                while socket.ask({"type": 1, "to": "ann", "content": content})["code"] != 50030:
                    pass
        # As long as a query can be, so that it needs no less room than the message for which there was none.
        long = "&".join(["type=MessageSent"] * 300)
        self.assertEqual({"error"}, set(self.get(server, f"/audit/events?{long}", 503).json))
        self.assertEqual(200, server.request("GET", "/audit/checkpoint", token=self.auditor).status)
        self.assertEqual([], self.reads(server))

    def test_damage_is_told(self):
        server = self.filled(30)
        sent = next(event for event in self.listed(server) if event.get("content") == "message 17")
        self.assertEqual(0, server.stop())
        file = server.data / "log" / "data.mdb"
        data = file.read_bytes()
        self.assertGreater(data.count(b"message 17"), 0)
        file.write_bytes(data.replace(b"message 17", b"message 71"))
        server.start()
        offset = sent["offset"]
        for path in ("/audit/events", f"/audit/proof/{offset}", f"/audit/tile/entries/000.p/{offset}"):
            self.assertIn(f"event {offset}", self.get(server, path, 500).json["error"], path)
        self.assertEqual(offset - 1, len(self.get(server, f"/audit/events?upto={offset - 1}").json["events"]))
        self.get(server, f"/audit/proof/{offset - 1}")

    def test_views_are_attested_and_replay_checks_it(self):
        server = self.filled(500, attest_every_events=100)

        def offsets() -> list[int]:
            return [event["offset"] for event in self.listed(server, "--type", "ViewAttested")]
        wait_for(lambda: len(offsets()) >= 4, "attestations")
        self.assertEqual(0, server.stop())
        attested = self.listed(server, "--type", "ViewAttested")
        names = [view["name"] for event in attested for view in event["views"]]
        self.assertLessEqual({"users", "rooms", "conversations", "unread"}, set(names))
        self.assertTrue(all(event["reference"] < event["offset"] for event in attested))
        report = json.loads(self.run_command(0, "replay", "--verify", "--json", "--data", server.data))
        self.assertEqual({view["view"]: names.count(view["view"]) for view in report["views"]},
                         {view["view"]: view["attestations_checked"] for view in report["views"]})
        self.assertEqual([[]] * 4, [view["attestations_refuted"] for view in report["views"]])
        self.assertRegex(self.run_command(0, "replay", "--verify", "--data", server.data),
                         r"attestations: \d+ checked, \d+ hold")
        # An idle server attests no more, however often it starts.
        server.start()
        self.assertEqual(0, server.stop())
        self.assertEqual(len(attested), len(offsets()))


if __name__ == "__main__":
    unittest.main()
