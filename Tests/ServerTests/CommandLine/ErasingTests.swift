import Broker
import Dispatch
import Foundation
import Projections
import Synchronization
import Testing

@testable import Server

@Suite struct ErasingTests {
    private let settings: Settings = {
        var settings = Settings()
        settings.log.mapBytes = 1 << 26
        settings.views.mapBytes = 1 << 26
        return settings
    }()

    private func with<Result>(
        _ sample: SampleFolder,
        _ body: (Erasing, Broker) async throws -> Result
    ) async throws -> Result {
        _ = try await waiting(for: "the log to be free") { try? sample.log() }
        return try await OpenFolder.with(sample.folder, settings) { broker, views in
            try await body(Erasing(folder: sample.folder, broker: broker, views: views), broker)
        }
    }

    private func redact(_ offset: Offset) -> ErasureRequest { .init(target: .event(offset), reason: "r") }

    @Test func `an event is erased, the files are written anew, and that is reported`() async throws {
        let sample = try await SampleFolder()
        try await with(sample) { erasing, broker in
            let reports = Reports()
            let report = try await erasing.run(redact(4)) { reports.add($0) }
            #expect((report.erased, report.offset, report.rewritten, report.resumed) == (1, 16, true, false))
            #expect(report.logBytes > 0)
            let last = reports.last
            #expect(Set(last.keys) == ["log", "conversations", "users", "rooms"])
            #expect(last.values.allSatisfy { $0.events == $0.of })
            #expect(!FileManager.default.fileExists(atPath: sample.folder.erasing))
            // Once more there is nothing to do.
            let again = try await erasing.run(redact(4)) { _ in }
            #expect((again.erased, again.offset, again.rewritten, again.resumed) == (0, nil, false, false))
            #expect(broker.log.head == 16)
        }
    }

    @Test func `a mark that is found has the files written anew, and is taken away`() async throws {
        let sample = try await SampleFolder()
        try ErasureMark(sample.folder).set()
        #expect(ErasureMark(sample.folder).warning != nil)
        try await with(sample) { erasing, _ in
            let request = ErasureRequest(target: .account("gone"), reason: "")
            let report = try await erasing.run(request) { _ in }
            #expect((report.erased, report.rewritten, report.resumed) == (0, true, true))
            #expect(ErasureMark(sample.folder).warning == nil)
            await #expect(throws: CommandFailure("there is no account \"gone\" in this log", status: .usage)) {
                try await erasing.run(request) { _ in }
            }
        }
    }

    @Test(
        arguments: [
            (0, "there is no event 0", CommandFailure.Status.usage), (16, "which ends at 15", .usage),
            (1, "quipu user erase", .failure), (3, "quipu user erase", .failure), (7, "nothing to erase", .failure),
            (10, "nothing to erase", .failure),
        ] as [(Offset, String, CommandFailure.Status)]
    )
    func `what can't be erased is refused with what to do, and leaves no mark`(
        offset: Offset,
        text: String,
        status: CommandFailure.Status
    ) async throws {
        let sample = try await SampleFolder()
        try await with(sample) { erasing, broker in
            let failure = await #expect(throws: CommandFailure.self) { try await erasing.run(redact(offset)) { _ in } }
            #expect(failure?.message.contains(text) == true, "\(failure?.message ?? "")")
            #expect(failure?.status == status)
            #expect(broker.log.head == SampleFolder.head)
            #expect(!FileManager.default.fileExists(atPath: sample.folder.erasing))
        }
    }

    @Test func `a writer that has stopped is no reason to take the mark away`() async throws {
        let sample = try await SampleFolder()
        try await with(sample) { erasing, broker in
            broker.stop()
            let failure = await #expect(throws: CommandFailure.self) { try await erasing.run(redact(4)) { _ in } }
            #expect(failure?.message.contains("run the same command again") == true)
            #expect(FileManager.default.fileExists(atPath: sample.folder.erasing))
        }
    }

    @Test func `only one erasure goes on at a time`() async throws {
        let sample = try await SampleFolder()
        try await with(sample) { erasing, _ in
            let second = OnceTask()
            // Reported on threads that may be kept waiting, while the first is under way.
            _ = try await erasing.run(redact(4)) { report in
                if report.view != "log" { second.run { try await erasing.run(redact(5)) { _ in } } }
            }
            #expect(throws: CommandFailure("another erasure is under way: try again when it is done")) {
                _ = try second.result.get()
            }
            #expect(try await erasing.run(redact(5)) { _ in }.erased == 1)
        }
    }

    @Test func `a verification under way is named, and what a killed one has left is removed`() async throws {
        let sample = try await SampleFolder()
        let scratch = try ScratchFolder(in: sample.folder)
        defer { scratch.remove() }
        let stale = sample.folder.path + "/verify-x"
        try FileManager.default.createDirectory(atPath: stale, withIntermediateDirectories: false)
        let report = try await with(sample) { erasing, _ in try await erasing.run(redact(4)) { _ in } }
        #expect(report.left == [scratch.path])
        #expect(FileManager.default.fileExists(atPath: scratch.path))
        #expect(!FileManager.default.fileExists(atPath: stale))
        #expect(report.lines(for: redact(4)).last?.contains(scratch.path) == true)
    }

    @Test func `a report for people, and for machines`() throws {
        var report = ErasureReport(erased: 1234, offset: 99, resumed: true, rewritten: true, logBytes: 5_000)
        #expect(
            report.lines(for: redact(4)) == [
                "an erasure that was interrupted before is done now",
                "erased the payloads of 1,234 events; the log says so up to offset 99",
                "wrote the log's file and the views with texts anew; the log has 5,000 bytes",
                "copies of the data folder from before this, backups too, still hold what was erased",
            ]
        )
        #expect(
            try report.json()
                == #"{"erased":1234,"left":[],"log_bytes":5000,"offset":99,"resumed":true,"rewritten":true}"#
        )
        report = ErasureReport(erased: 0, resumed: false, rewritten: false, logBytes: 5_000)
        #expect(report.lines(for: redact(4)) == ["nothing is left to erase: event 4 was erased before"])
    }

    @Test(arguments: [("yes\n", true), ("yes", true), ("YES\n", false), ("\n", false), ("", false), ("yes \n", false)])
    func `on a terminal the very word must be typed`(typed: String, isMeant: Bool) throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(typed.utf8))
        try pipe.fileHandleForWriting.close()
        let confirmation = Confirmation(input: pipe.fileHandleForReading, isTerminal: true)
        if isMeant {
            try confirmation.require("yes", to: "?")
        } else {
            #expect(throws: CommandFailure("nothing was erased")) { try confirmation.require("yes", to: "?") }
        }
    }

    @Test func `without a terminal nobody is asked`() throws {
        let input = try #require(FileHandle(forReadingAtPath: "/dev/null"))
        try Confirmation(input: input, isTerminal: false).require("yes", to: Self.unasked())
    }

    private static func unasked() throws -> String { throw CommandFailure("somebody was asked") }
}

/// What was reported last of each view.
private final class Reports: Sendable {
    private let reports = Mutex<[String: ReplayProgress]>([:])

    var last: [String: ReplayProgress] { reports.withLock { $0 } }

    func add(_ report: ReplayProgress) { reports.withLock { $0[report.view] = report } }
}

/// Something asynchronous that is done once, however many threads come to it, by which they wait.
private final class OnceTask: Sendable {
    private let outcome = Mutex<Swift.Result<ErasureReport, any Error>?>(nil)
    private let hasBegun = Atomic(false)

    var result: Swift.Result<ErasureReport, any Error> {
        outcome.withLock { $0 } ?? .failure(CommandFailure("it was never begun"))
    }

    func run(_ body: @escaping @Sendable () async throws -> ErasureReport) {
        guard !hasBegun.exchange(true, ordering: .relaxed) else { return }
        let done = DispatchSemaphore(value: 0)
        Task {
            let found: Swift.Result<ErasureReport, any Error>
            do { found = .success(try await body()) } catch { found = .failure(error) }
            outcome.withLock { $0 = found }
            done.signal()
        }
        done.wait()
    }
}
