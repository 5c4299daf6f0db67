import Broker
import Foundation
import Testing

@testable import Server

/// A position is gone on from only if this log and the client's are the same up to it.
@Suite final class ResumePointTests {
    private let folder = NSTemporaryDirectory() + "resume-" + UUID().uuidString

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func log() throws -> EventLog {
        let directory = folder + "/log"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        return try EventLog(directory: directory, mapBytes: 64 << 20)
    }

    private func fill(_ log: EventLog, _ events: Int) async throws {
        let broker = Broker(log: log)
        try broker.start(state: NothingKnown(), projected: 0, subscribers: [])
        for _ in 0..<events {
            let outcome = await broker.execute(.admitGuest(try AccountName("guest\(log.head)")))
            guard case .account = outcome else {
                Issue.record("\(outcome)")
                break
            }
        }
        broker.stop()
    }

    private func refusal(_ point: ResumePoint) -> ResumePoint.Refusal? {
        if case .refused(let refusal) = point { refusal } else { nil }
    }

    private func isValid(_ point: ResumePoint, _ offset: Offset) -> Bool {
        if case .valid(offset) = point { true } else { false }
    }

    @Test func `any offset up to the head is a position, with the log's name or without`() async throws {
        let log = try log()
        try await fill(log, 3)
        let name = log.identity.description
        for offset in Offset(0)...3 {
            #expect(isValid(ResumePoint(after: offset, log: nil, in: log), offset))
            #expect(isValid(ResumePoint(after: offset, log: name, in: log), offset))
        }
        #expect(refusal(ResumePoint(after: 4, log: nil, in: log))?.lastShared == 3)
        #expect(refusal(ResumePoint(after: 4, log: name, in: log))?.lastShared == 3)
    }

    @Test(arguments: ["", "no log", "00000000000000000000000000000000.1", "00000000000000000000000000000000"])
    func `of another log nothing is shared`(_ name: String) async throws {
        let log = try log()
        try await fill(log, 2)
        #expect(refusal(ResumePoint(after: 0, log: name, in: log))?.lastShared == 0)
        #expect(refusal(ResumePoint(after: 2, log: name, in: log))?.lastShared == 0)
    }

    @Test func `a position from before a restore is good up to where the backup ended`() async throws {
        var log: EventLog? = try log()
        let before = try #require(log?.identity.description)
        try await fill(#require(log), 3)
        log = nil
        try EventLog.beginEpoch(directory: folder + "/log", mapBytes: 64 << 20)
        let restored = try self.log()
        try await fill(restored, 1)
        #expect(restored.head == 4)
        #expect(isValid(ResumePoint(after: 3, log: before, in: restored), 3))
        #expect(refusal(ResumePoint(after: 4, log: before, in: restored))?.lastShared == 3)
        #expect(isValid(ResumePoint(after: 4, log: restored.identity.description, in: restored), 4))
    }
}
