"""The load generator: each benchmark in small, against a server of its own and another, and against one that errs."""

import json
import pathlib
import unittest

from commands import CommandTest
from fakeserver import FakeServer

CPU = "server_cpu_microseconds"
SMALL = {
    "fanout": ["--subscribers", "5", "--senders", "2", "--in-flight", "4", "--messages", "40"],
    "ingest": ["--senders", "4", "--in-flight", "2", "--messages", "80"],
    "latency": ["--rate", "200", "--seconds", "1", "--senders", "2", "--subscribers", "2"],
    "query": ["--history", "400", "--rows", "100", "--rows", "3", "--peers", "4", "--queries", "20"],
    "connections": ["--count", "40", "--at-once", "7"],
}
RATES = {
    "fanout": ["deliveries_per_second"],
    "ingest": ["messages_per_second", "ack_p50_microseconds", "ack_max_microseconds"],
    "latency": ["deliveries_per_second", "ack_p999_microseconds", "delivery_p99_microseconds"],
    "query": ["history_100_queries_per_second", "history_3_p90_microseconds", "unread_queries_per_second"],
    "connections": ["connects_per_second"],
}


class Bench(CommandTest):
    def bench(self, name: str, *options: str) -> dict:
        before = set(pathlib.Path.cwd().iterdir())
        result = json.loads(self.run_command(0, "bench", name, *SMALL.get(name, []), "--json", *options))
        self.assertEqual(before, set(pathlib.Path.cwd().iterdir()), "it leaves nothing behind")
        self.assertEqual(name, result["benchmark"])
        self.assertTrue(result["exactly_once_in_order"] and result["acknowledged_is_stored"])
        self.assertLessEqual({"cpu", "cores", "kernel", "memory_bytes", "version", "build"}, set(result["machine"]))
        for figures in (*result["rounds"], result["best"], result["median"]):
            for key in RATES.get(name, []):
                self.assertGreater(figures[key], 0, key)
        return result

    def test_each_against_a_server_of_its_own(self):
        for name in SMALL:
            with self.subTest(name):
                result = self.bench(name, "--rounds", "2")
                self.assertEqual(2, len(result["rounds"]))
                self.assertEqual(("own", True), (result["setting"]["server"], result["setting"]["fsync"]))
                prefix = "unread_" if name == "query" else ""
                self.assertIn(prefix + CPU, result["best"])
                self.assertIn(prefix + "client_cpu_microseconds", result["best"])
                self.assertGreater(result["best"]["rss_peak_bytes"], 1 << 20)
                if name in ("fanout", "ingest", "latency"):
                    self.assertGreater(result["best"]["log_bytes_per_event"], 100)
                    self.assertGreaterEqual(result["best"]["events_per_commit"], 1)
                    self.assertIn("disk_bytes_per_event", result["best"])
                if name == "connections":
                    self.assertIn("rss_bytes_per_connection", result["best"])
                    self.assertIn("private_bytes_per_connection", result["best"])

    def test_each_against_another_server(self):
        server = self.server("open")
        for name in SMALL:
            with self.subTest(name):
                url = ("--url", f"ws://127.0.0.1:{server.port}", "--rounds", "1")
                result = self.bench(name, *url)
                self.assertFalse([key for key in result["best"] if key.endswith(CPU) or key.startswith("rss")])
                self.assertNotIn("fsync", result["setting"])
                known = self.bench(name, *url, "--pid", str(server.process.pid))
                self.assertTrue([key for key in known["best"] if key.endswith(CPU)])
        self.assertEqual(0, server.stop())

    def test_replay(self):
        result = self.bench("replay", "--messages", "2000", "--rounds", "2", "--floor")
        for key in ("events_per_second", "conversations_events_per_second", "unread_events_per_second"):
            self.assertGreater(result["best"][key], 0, key)
        self.assertGreater(result["floor"]["events_per_second"], 0)
        self.assertGreater(result["best_to_floor"]["events_per_second"], 0)

    def test_on_a_log_with_a_history(self):
        for name in ("fanout", "ingest", "latency"):
            with self.subTest(name):
                result = self.bench(name, "--rounds", "2", "--history", "3000")
                self.assertEqual(3000, result["settings"]["history"])
        for name in ("fanout", "ingest", "latency"):
            refused = self.run_command(2, "bench", name, "--history", "1", "--url", "ws://127.0.0.1:1")
            self.assertIn("--history needs a server of its own", refused)

    def test_growth(self):
        before = set(pathlib.Path.cwd().iterdir())
        options = ("--history", "4000", "--history", "9000", "--rounds", "2", "--quick", "--json")
        result = json.loads(self.run_command(0, "bench", "growth", *options))
        self.assertEqual(before, set(pathlib.Path.cwd().iterdir()), "it leaves nothing behind")
        self.assertEqual([4000, 9000], [log["history"] for log in result["logs"]])
        for log in result["logs"]:
            self.assertEqual(2, len(log["rounds"]))
            for key in ("replay_events_per_second", "start_milliseconds", "ingest_messages_per_second",
                        "fan-out_deliveries_per_second", "one_ack_at_a_time_p50_microseconds",
                        "history_50_p50_microseconds", "history_1000_p50_microseconds", "unread_p50_microseconds"):
                self.assertGreater(log["best"][key], 0, key)
                self.assertGreater(log["ratio"][key], 0, key)
        self.assertEqual({1}, set(result["logs"][0]["ratio"].values()))
        for wrong in ("3999", "100000001"):
            self.assertIn("--history must be", self.run_command(2, "bench", "growth", "--history", wrong))

    def test_floors(self):
        for name, rate, options in (
            ("fanout", "deliveries_per_second", ()),
            ("fanout", "deliveries_per_second", ("--rooms", "3", "--messages", "60")),
            ("fanout", "deliveries_per_second", ("--rate", "500")), ("ingest", "messages_per_second", ()),
            ("connections", "connects_per_second", ()), ("query", "history_100_queries_per_second", ()),
            ("query", "unread_queries_per_second", ()),
        ):
            with self.subTest(name, options=options):
                result = self.bench(name, "--rounds", "1", "--floor", *options)
                self.assertGreater(result["floor"][rate], 0)
                self.assertGreater(result["best_to_floor"][rate], 0)

    def test_a_table_for_people(self):
        printed = self.run_command(0, "bench", "fanout", *SMALL["fanout"], "--rounds", "2", "--no-pin")
        for word in ("machine:", "flushed to disk", "exactly once", "round 2", "best", "median", "deliveries/s"):
            self.assertIn(word, printed)

    def test_what_a_server_gets_wrong_is_found(self):
        said = {
            "": "", "lose": "came while", "repeat": "came again", "swap": "came while", "forget": "are stored",
        }
        for fault, words in said.items():
            with self.subTest(fault or "nothing wrong"):
                server = FakeServer(fault)
                self.addCleanup(server.close)
                options = ["--senders", "1", "--subscribers", "3", "--in-flight", "1", "--messages", "20"]
                options += ["--rounds", "1", "--url", f"ws://127.0.0.1:{server.port}"]
                printed = self.run_command(1 if fault else 0, "bench", "fanout", *options)
                self.assertIn(words, printed)

    def test_a_server_that_is_not_there(self):
        self.assertIn("can't connect", self.run_command(1, "bench", "ingest", "--url", "ws://127.0.0.1:1"))
        self.run_command(2, "bench", "ingest", "--url", "http://127.0.0.1:1")


if __name__ == "__main__":
    unittest.main()
