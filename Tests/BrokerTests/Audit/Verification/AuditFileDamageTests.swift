import Testing

@testable import Broker

/// Files in which any one thing was changed: none is verified, and nothing crashes.
@Suite struct AuditFileDamageTests {
    enum Form: CaseIterable { case message, credential, consistency, checkpoint }

    private let log: AuditedLog

    init() throws { log = try AuditedLog(size: 300) }

    private func file(_ form: Form) throws -> [UInt8] {
        switch form {
        case .message: try log.proof(of: 42, in: 300)
        case .credential: try log.proof(of: AuditedLog.credential, in: 300)
        case .consistency: try log.consistency(from: 100, to: 300)
        case .checkpoint: try log.checkpoint(300)
        }
    }

    /// Expects every one of `files` to be refused; outside the first line, refuted.
    private func expectRefused(_ form: Form, _ files: some Sequence<(name: String, at: Int, bytes: [UInt8])>) throws {
        let whole = try file(form)
        var verifier = AuditFileVerifier(key: log.key)
        try verifier.keep(log.checkpoint(100))
        _ = try verifier.verify(whole)
        let firstLine = whole.prefix { $0 != UInt8(ascii: "\n") }.count
        var count = 0
        for file in files where file.bytes != whole {
            // One expectation for each failure, not for each file: they cost more than what they look at.
            count += 1
            var verifier = verifier
            do {
                _ = try verifier.verify(file.bytes)
                Issue.record("\(form) is verified, \(file.name) \(file.at)")
            } catch  where error.isRefutation || file.at <= firstLine {
                continue
            } catch {
                Issue.record("\(form), \(file.name) \(file.at): \(error)")
            }
        }
        #expect(count > whole.count * 9 / 10)
    }

    @Test(arguments: Form.allCases)
    func `every changed bit is refused`(form: Form) throws {
        let whole = try file(form)
        try expectRefused(
            form,
            (0..<whole.count * 8).lazy.map { ("bit \($0 % 8) of byte", $0 / 8, flipping($0, of: whole)) }
        )
    }

    @Test(arguments: Form.allCases)
    func `every shorter file is refused`(form: Form) throws {
        let whole = try file(form)
        try expectRefused(form, whole.indices.lazy.map { ("cut off at", $0, Array(whole[..<$0])) })
    }

    @Test(arguments: Form.allCases)
    func `every byte left out is refused`(form: Form) throws {
        let whole = try file(form)
        try expectRefused(
            form,
            whole.indices.lazy.map { ("without byte", $0, Array(whole[..<$0] + whole[($0 + 1)...])) }
        )
    }

    @Test(arguments: Form.allCases)
    func `every byte doubled is refused`(form: Form) throws {
        let whole = try file(form)
        try expectRefused(form, whole.indices.lazy.map { ("double byte", $0, Array(whole[...$0] + whole[$0...])) })
    }
}
