import ArgumentParser
import Foundation
import NIOCore
import Testing

@testable import Server

/// What stands around a benchmark's figures: the machine, the process, the table, the clock.
struct BenchFiguresTests {
    @Test func `the limit of open files is read as the kernel writes it`() throws {
        let text = """
            Limit                     Soft Limit           Hard Limit           Units
            Max processes             95000                95000                processes
            Max open files            1024                 524288               files
            """
        #expect(try #require(FileDescriptors.parse(text)) == (1024, 524_288))
        let unlimited = text.replacing("524288", with: "unlimited")
        #expect(try #require(FileDescriptors.parse(unlimited)) == (1024, Int.max))
        #expect(FileDescriptors.parse("Max processes 1 2") == nil)
        #expect(FileDescriptors.parse("Max open files soon") == nil)
    }

    @Test func `more files than there can be are refused with the remedy`() throws {
        try FileDescriptors.require(16)
        let failure = #expect(throws: CommandFailure.self) { try FileDescriptors.require(.max) }
        #expect(failure?.message.contains("ulimit -n") == true)
    }

    @Test func `the processor is the first that is named`() {
        let text = "processor\t: 0\nmodel name\t: A: fast one\nprocessor\t: 1\nmodel name\t: B\n"
        #expect(BenchMachine.model(in: text) == "A: fast one")
        #expect(BenchMachine.model(in: "") == "unknown processor")
        #expect(BenchMachine.current.lines.joined().contains(Quipu.configuration.version))
    }

    @Test func `a commit is told where the binary was built, and nowhere else`() throws {
        #expect(BenchMachine.commit(of: URL(fileURLWithPath: "/usr/bin/true")) == nil)
        let folder = URL(fileURLWithPath: NSTemporaryDirectory() + "quipu-commit-" + UUID().uuidString + "/.build")
        defer { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        #expect(BenchMachine.commit(of: folder.appending(path: "quipu")) == nil)
        #expect(BenchMachine.current.lmdb.split(separator: ".").count == 3)
    }

    @Test func `a process has memory and processor time, and one that is gone has none`() throws {
        let before = try ProcessFigures.own.cpuMicroseconds()
        #expect(try ProcessFigures.own.residentBytes() > 1 << 20)
        // It goes on until the kernel's clock has counted a tick.
        var sum = 0
        while try ProcessFigures.own.cpuMicroseconds() == before { sum &+= 1 }
        #expect(try ProcessFigures.own.cpuMicroseconds() > before)
        #expect(throws: BenchFailure.self) { try ProcessFigures(pid: 0).residentBytes() }
        #expect(throws: BenchFailure.self) { try ProcessFigures(pid: 0).cpuMicroseconds() }
    }

    @Test func `the most memory that was seen while something ran is kept`() async throws {
        let memory = MemoryPeak(of: .own)
        try await memory.watch {}
        #expect(memory.peak > 1 << 20)
    }

    @Test func `a table has its numbers to the right`() {
        var table = BenchTable(["what", "n"])
        table.add(["é", "1,000"])
        #expect(table.lines == ["what      n", "é     1,000"])
    }

    @Test func `a message is due at its time, the first at once`() {
        let pace = BenchPace(messagesPerSecond: 1_000)
        #expect(pace.due() == 0)
        pace.start()
        #expect(pace.due() >= 1)
        // Far in the future: not late at all.
        #expect(pace.nanoseconds(since: 100_000_000) == 0)
        while pace.due() < 3 {}
        #expect(pace.nanoseconds(since: 2) <= pace.nanoseconds(since: 0) - 2_000_000)
    }

    @Test func `senders take turns`() {
        let pace = BenchPace(messagesPerSecond: 3, senders: 2)
        pace.start()
        let start = pace.deadline(of: 0, sender: 0)
        // Messages 0, 1, 2 and 3 of all, a third of a second apart; a message is never early.
        #expect((pace.deadline(of: 0, sender: 1) - start).nanoseconds == 333_333_334)
        #expect((pace.deadline(of: 1, sender: 0) - start).nanoseconds == 666_666_667)
        #expect((pace.deadline(of: 1, sender: 1) - start).nanoseconds == 1_000_000_000)
        while NIODeadline.now() < pace.deadline(of: 1, sender: 0) {}
        #expect(pace.due(0) >= 2)
        #expect(pace.due(1) >= 1)
    }

    @Test func `a process has a peak of memory, memory of its own, and what it has written`() throws {
        let own = ProcessFigures.own
        #expect(try own.peakResidentBytes() >= own.residentBytes())
        #expect(try own.privateBytes() > 1 << 20)
        #expect(try own.writtenBytes() >= 0)
        #expect(throws: BenchFailure.self) { try ProcessFigures(pid: 0).privateBytes() }
    }
}
