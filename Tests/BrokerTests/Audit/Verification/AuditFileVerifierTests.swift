import Cryptography
import LMDB
import Testing

@testable import Broker

/// What each file proves, what is refuted and what can't be told.
@Suite struct AuditFileVerifierTests {
    private let log: AuditedLog

    init() throws { log = try AuditedLog(size: 300) }

    private func verify(
        _ file: [UInt8],
        keeping old: [UInt8]? = nil,
        key: VerifierKey? = nil,
        witnesses: [VerifierKey] = []
    ) throws -> AuditFinding {
        var verifier = AuditFileVerifier(key: key ?? log.key, witnesses: witnesses)
        if let old { try verifier.keep(old) }
        return try verifier.verify(file)
    }

    @Test func `a proof says which event is in which tree`() throws {
        for offset in [1, 42, 256, 257, 300] as [Offset] {
            let finding = try verify(log.proof(of: offset, in: 300))
            guard case .event(let event, let payload) = finding.proven else {
                Issue.record("no event: \(finding)")
                continue
            }
            #expect(event == log.events[Int(offset) - 1])
            #expect(payload == .messageSent(content: AuditedLog.text, id: ""))
            #expect(try finding.checkpoint == LogCheckpoint(text: log.note(300).text))
        }
    }

    @Test func `a proof of an event with a secret shows that it is there, and no payload`() throws {
        let finding = try verify(log.proof(of: AuditedLog.credential, in: 300))
        guard case .event(let event, let payload) = finding.proven else {
            Issue.record("no event: \(finding)")
            return
        }
        #expect(payload == .redacted(.userRegistered))
        #expect(event.record.header.payloadClass == .credential)
    }

    @Test func `a proof of consistency says which checkpoint is continued`() throws {
        for (old, new) in [(0, 300), (1, 2), (100, 300), (256, 300), (300, 300)] as [(UInt64, UInt64)] {
            let finding = try verify(log.consistency(from: old, to: new), keeping: log.checkpoint(old))
            guard case .continuation(let found) = finding.proven else {
                Issue.record("no continuation: \(finding)")
                continue
            }
            #expect(found.size == old)
            #expect(finding.checkpoint.size == new)
        }
    }

    @Test func `a checkpoint says that the log signed it`() throws {
        let finding = try verify(log.checkpoint(77))
        #expect(finding.checkpoint.size == 77)
        #expect(finding.verified.cosignatures == [])
    }

    @Test func `what another log or another key signed is refuted`() throws {
        let stranger = try AuditedLog(size: 300)
        let title = log.key.title
        for file in [try stranger.checkpoint(300), try stranger.proof(of: 7, in: 300)] {
            expect(.checkpoint(.notSignedByLog(key: title))) { try verify(file) }
        }
        let name = try #require(NoteKeyName("log.example/chat-2"))
        let other = try AuditedLog(size: 300, key: SigningKey(name: name, privateKey: .generate()))
        let expected = CheckpointError.wrongOrigin(expected: log.key.name.description, found: name.description)
        expect(.checkpoint(expected)) { try verify(other.checkpoint(300)) }
        expect(.checkpoint(expected)) {
            try verify(log.consistency(from: 100, to: 300), keeping: other.checkpoint(100))
        }
    }

    @Test func `an event that was altered, moved or replaced is refuted`() throws {
        let mismatch = AuditFileError.proof(.inclusion(.rootMismatch))
        let altered = try AuditedLog(size: 300, key: log.signingKey, altering: 42)
        expect(mismatch) { try verify(log.proof(of: 42, in: 300, extra: altered.events[41].bytes)) }
        expect(mismatch) { try verify(log.proof(of: 42, in: 300, extra: log.events[42].bytes)) }
        let moved = log.events[41].bytes
        let place = try InclusionProof(index: 42, size: 300, hashes: TlogProof(log.proof(of: 43, in: 300)).hashes)
        expect(mismatch) { try verify(TlogProof(place, note: log.note(300), extra: moved).encode()) }
        expect(mismatch) { try verify(log.proof(of: 42, in: 300, note: log.note(299))) }
    }

    /// What is signed only counts with the payload that it commits to, or without any.
    @Test func `salt and payload can be left out, and not be replaced by others of the same length`() throws {
        let event = log.events[41]
        let redacted = event.record.redacted(with: SHA256())
        let finding = try verify(log.proof(of: 42, in: 300, extra: redacted))
        guard case .event(_, .redacted(.messageSent)) = finding.proven else {
            Issue.record("not redacted: \(finding)")
            return
        }
        var forged = redacted
        forged[EventHeader.byteCount] ^= 1
        forged.removeLast(4)
        forged.append(littleEndian: CRC32C.checksum(forged.span))
        expect(.proof(.inclusion(.rootMismatch))) { try verify(log.proof(of: 42, in: 300, extra: forged)) }
    }

    @Test func `what a newer version wrote can't be told`() throws {
        func changing(_ at: Int, to value: UInt8) throws -> [UInt8] {
            var bytes = log.events[41].bytes
            bytes[at] = value
            bytes.removeLast(4)
            bytes.append(littleEndian: CRC32C.checksum(bytes.span))
            return try log.proof(of: 42, in: 300, extra: bytes)
        }
        expect(.event(.unknownFormat(2)), isRefutation: false) { try verify(changing(0, to: 2)) }
        expect(.event(.unknownType(99)), isRefutation: false) { try verify(changing(1, to: 99)) }
        expect(.event(.unknownPayloadClass(9)), isRefutation: false) { try verify(changing(3, to: 9)) }
        // The version is read only once the event is proven, and this one isn't in the log.
        expect(.proof(.inclusion(.rootMismatch))) { try verify(changing(2, to: 2)) }
    }

    @Test func `what isn't given can't be told`() throws {
        let proof = try TlogProof(log.proof(of: 42, in: 300))
        let inclusion = InclusionProof(index: 41, size: 300, hashes: proof.hashes)
        expect(.noEvent, isRefutation: false) { try verify(TlogProof(inclusion, note: proof.note).encode()) }
        let consistency = try log.consistency(from: 100, to: 300)
        expect(.noOlderCheckpoint(size: 100), isRefutation: false) { try verify(consistency) }
    }

    @Test func `a proof from another size than the older checkpoint's, or of another history, is refuted`() throws {
        let proof = try log.consistency(from: 100, to: 300)
        expect(.consistency(.wrongOldSize(expected: 99, found: 100))) { try verify(proof, keeping: log.checkpoint(99)) }
        let rewritten = try AuditedLog(size: 300, key: log.signingKey, altering: 42)
        expect(.consistency(.consistency(.oldRootMismatch))) { try verify(proof, keeping: rewritten.checkpoint(100)) }
        let cut = TlogConsistency(ConsistencyProof(oldSize: 300, newSize: 100, hashes: []), note: try log.note(100))
        expect(.consistency(.consistency(.sizesReversed(old: 300, new: 100)))) {
            try verify(cut.encode(), keeping: log.checkpoint(300))
        }
    }

    @Test func `two roots for one size are refuted, whichever file has them`() throws {
        let rewritten = try AuditedLog(size: 300, key: log.signingKey, altering: 42)
        let contradiction = AuditFileError.contradiction(size: 300)
        expect(contradiction) { try verify(rewritten.proof(of: 7, in: 300), keeping: log.checkpoint(300)) }
        var verifier = AuditFileVerifier(key: log.key)
        _ = try verifier.verify(log.checkpoint(300))
        _ = try verifier.verify(log.proof(of: 7, in: 300))
        _ = try verifier.verify(rewritten.checkpoint(299))
        expect(contradiction) { try verifier.verify(rewritten.checkpoint(300)) }
        // And what was right before is so still.
        _ = try verifier.verify(log.checkpoint(300))
    }

    @Test func `a witness that is asked for must have signed`() throws {
        let name = try #require(NoteKeyName("witness.example"))
        let witness = SigningKey(name: name, privateKey: .generate())
        let file = try log.note(300, cosignedBy: witness).encode()
        #expect(try verify(file).verified.cosignatures.isEmpty)
        #expect(try verify(file, witnesses: [witness.verifierKey]).verified.cosignatures.map(\.key.name) == [name])
        let other = SigningKey(name: name, privateKey: .generate()).verifierKey
        expect(.notCosigned(witness: other.title)) { try verify(file, witnesses: [witness.verifierKey, other]) }
        expect(.notCosigned(witness: witness.verifierKey.title)) {
            try verify(log.checkpoint(300), witnesses: [witness.verifierKey])
        }
        // What was kept may be from before there were witnesses.
        let proof = TlogConsistency(
            try TlogConsistency(log.consistency(from: 100, to: 300)).proof(to: 300),
            note: try log.note(300, cosignedBy: witness)
        )
        _ = try verify(proof.encode(), keeping: log.checkpoint(100), witnesses: [witness.verifierKey])
    }

    @Test(arguments: [
        "", "\n", "hello\n", "old\n", "c2sp.org/tlog-proof@v2\nindex 7\n", "{\"proof\":1}\n", "a\n1\nb\n",
    ])
    func `what begins like none of the forms can't be told`(text: String) {
        expect(.unknownForm, isRefutation: false) { try verify(Array(text.utf8)) }
    }

    @Test func `what begins like one and goes on otherwise is refuted`() throws {
        expect(.proof(.index(line: 2))) { try verify(Array("c2sp.org/tlog-proof@v1\n\n".utf8)) }
        expect(.consistency(.oldSize)) { try verify(Array("old many\n".utf8)) }
        expect(.checkpoint(.note(.noEmptyLine))) { try verify(Array("\(log.key.name)\n300\n".utf8)) }
    }

    /// The error that `body` throws is `expected`, and is what it says to an exit code.
    private func expect(
        _ expected: AuditFileError,
        isRefutation: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> some Any
    ) {
        let error = #expect(throws: AuditFileError.self, sourceLocation: sourceLocation) { try body() }
        #expect(error == expected, sourceLocation: sourceLocation)
        #expect(error?.isRefutation == isRefutation, sourceLocation: sourceLocation)
    }
}

extension TlogConsistency {
    fileprivate func proof(to newSize: UInt64) -> ConsistencyProof {
        ConsistencyProof(oldSize: oldSize, newSize: newSize, hashes: hashes)
    }
}
