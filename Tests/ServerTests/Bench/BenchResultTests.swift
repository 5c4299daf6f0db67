import ArgumentParser
import Foundation
import Testing

@testable import Server

/// What is made of the figures.
struct BenchResultTests {
    private func round(_ rate: Double, _ cpu: Double) -> BenchRound {
        BenchRound([(.deliveriesPerSecond, rate), (.serverCPU, cpu)])
    }

    @Test func `the best is the greatest rate and the least cost, each by itself`() {
        let rounds = [round(10, 3), round(30, 5), round(20, 4)]
        #expect(BenchRound.best(of: rounds).figures == ["deliveries_per_second": 30, "server_cpu_microseconds": 3])
        #expect(BenchRound.median(of: rounds).figures == ["deliveries_per_second": 20, "server_cpu_microseconds": 4])
        #expect(BenchRound.median(of: Array(rounds.prefix(2)))[.serverCPU] == 3)
        #expect(BenchRound.best(of: []).figures.isEmpty)
    }

    @Test func `a ratio of two is twice as dear or half as fast`() {
        let ratio = round(10, 3).ratio(to: round(20, 1.5))
        #expect(ratio[.deliveriesPerSecond] == 2)
        #expect(ratio[.serverCPU] == 2)
        // Nothing is divided by nothing.
        #expect(round(10, 3).ratio(to: round(0, 0)).figures.isEmpty)
        #expect(round(10, 3).ratio(to: BenchRound()).figures.isEmpty)
    }

    @Test func `table and JSON have every round, the best, the median and the floor`() throws {
        let result = BenchResult(
            name: "fanout",
            work: "work",
            checked: "checked",
            settings: ["senders": 8],
            setting: BenchSetting(server: "own", server_core: 0, load_core: 1, fsync: true, file_system: "ext4"),
            rounds: [round(1_000_000, 0.25), round(2_000_000, 0.2)],
            floor: [round(4_000_000, 0.1)]
        )
        #expect(
            result.lines == [
                "a server of its own, every commit flushed to disk (ext4) before it is acknowledged; server on core 0, "
                    + "load on core 1",
                "work", "checked",
                "                       round 1    round 2       best     median      floor  best : floor",
                "deliveries/s         1,000,000  2,000,000  2,000,000  1,000,000  4,000,000          2.00",
                "server CPU, µs each      0.250      0.200      0.200      0.200      0.100          2.00",
            ]
        )
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(try result.json().utf8)) as? [String: Any]
        )
        #expect(json["benchmark"] as? String == "fanout")
        #expect((json["rounds"] as? [[String: Double]])?.count == 2)
        #expect((json["best_to_floor"] as? [String: Double])?["server_cpu_microseconds"] == 2)
        #expect((json["setting"] as? [String: Any])?["fsync"] as? Bool == true)
        #expect((json["machine"] as? [String: Any])?["kernel"] != nil)
    }

    @Test func `percentiles are in microseconds, under keys of their own`() {
        var histogram = Histogram()
        for value in 1...1000 as ClosedRange<UInt64> { histogram.record(value * 1000) }
        let round = BenchRound(BenchMetric.percentiles(of: histogram, "history 1,000"))
        let keys = ["p50", "p90", "p99", "p999", "max"].map { "history_1000_\($0)_microseconds" }
        #expect(Set(round.figures.keys) == Set(keys))
        #expect(round.figures["history_1000_max_microseconds"] == 1000)
        #expect((500...504).contains(round.figures["history_1000_p50_microseconds"] ?? 0))
    }

    @Test func `what isn't known of another's server is said`() {
        let lines = BenchSetting(server: "ws://h:1", has_process: false).lines
        #expect(lines.contains { $0.contains("--pid") })
        let memory = BenchSetting(server: "own", fsync: true, file_system: "tmpfs").lines
        #expect(memory.contains { $0.contains("no disk") })
    }

    @Test(arguments: [
        ("/", "ext4"), ("/tmp", "tmpfs"), ("/tmp/a", "tmpfs"), ("/tmpfile", "ext4"), ("/a b/c", "xfs"), ("/x", "btrfs"),
    ])
    func `a folder's file system is that of the nearest mount`(folder: String, kind: String) {
        let mounts = """
            /dev/a / ext4 rw 0 0
            none /tmp tmpfs rw 0 0
            /dev/b /a\\040b xfs rw 0 0
            /dev/c /x ext3 rw 0 0
            /dev/d /x btrfs rw 0 0
            """
        #expect(BenchSetting.fileSystem(of: folder, mounts: mounts) == kind)
        #expect(BenchSetting.fileSystem(of: folder, mounts: "") == nil)
    }

    @Test(arguments: [("0-1", [0, 1]), ("0,2-3", [0, 2]), ("5-9", [5, 6]), ("3", []), ("", []), ("x", [])])
    func `server and load get the first two cores that are allowed`(list: String, cores: [Int]) {
        let found = BenchCores(status: "Name:\tx\nCpus_allowed_list:\t\(list)\nMems_allowed:\t1\n")
        #expect(found.map { [$0.server, $0.load] } ?? [] == cores)
        #expect(BenchCores(status: "Name:\tx\n") == nil)
    }

    @Test(arguments: [
        ("ws://127.0.0.1:8080", "127.0.0.1:8080"), ("ws://localhost:1/", "localhost:1"), ("ws://[::1]:80", "[::1]:80"),
        ("wss://h:1", nil), ("ws://h", nil), ("h:1", nil), ("ws://h:0", nil), ("ws://h:1/ws", nil), ("ws://u@h:1", nil),
    ])
    func `an address is a host and a port`(url: String, address: String?) {
        #expect(BenchAddress(url: url)?.description == address)
    }

    @Test(arguments: [
        ["fanout", "--subscribers", "0"], ["fanout", "--messages", "7", "--senders", "2"], ["fanout", "--bytes", "23"],
        ["fanout", "--in-flight", "1025"], ["fanout", "--rate", "5", "--subscribers", "10"],
        ["fanout", "--rounds", "0"],
        ["fanout", "--rooms", "10000", "--subscribers", "10"], ["fanout", "--url", "http://h:1"],
        ["fanout", "--pid", "1"],
        ["fanout", "--floor-batch", "5"], ["fanout", "--floor", "--floor-batch", "0"],
        ["ingest", "--senders", "1001", "--messages", "1001"], ["ingest", "--floor", "--url", "ws://h:1"],
        ["latency", "--rate", "0"], ["latency", "--seconds", "0"], ["latency", "--senders", "0"],
        ["query", "--history", "100", "--rows", "26"], ["query", "--rows", "10001"], ["query", "--peers", "0"],
        ["replay", "--messages", "0"], ["replay", "--rounds", "101"], ["connections", "--count", "50001"],
        ["connections", "--at-once", "0"],
    ])
    func `what can't be measured is refused`(arguments: [String]) {
        #expect(throws: (any Error).self) { try BenchCommand.parseAsRoot(arguments) }
    }

    @Test(arguments: ["fanout", "ingest", "latency", "query", "replay", "connections", "resume", "slow"])
    func `every benchmark runs without options`(name: String) throws {
        _ = try BenchCommand.parseAsRoot([name])
    }
}
