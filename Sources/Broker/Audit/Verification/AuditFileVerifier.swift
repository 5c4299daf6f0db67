internal import Cryptography

/// Verifies the files that an auditor was given: from their bytes and the log's key alone.
///
/// ```swift
/// var verifier = AuditFileVerifier(key: key)
/// try verifier.keep(oldCheckpoint)
/// let finding = try verifier.verify(file)
/// ```
///
/// It remembers every checkpoint that it has verified: two of as many events and with different roots can't both be of
/// one log, and the second is refused whatever else is right about it.
package struct AuditFileVerifier: Sendable {
    package let key: VerifierKey
    /// All of them must have signed.
    let witnesses: [VerifierKey]
    /// What consistency is proven with.
    private var old: LogCheckpoint?
    /// The roots of the log's tree, by its size.
    private var roots: [UInt64: Digest] = [:]

    /// - Parameters:
    ///   - key: The log's key, from a source that the auditor trusts.
    ///   - witnesses: Keys of which each must have signed the checkpoints of the files.
    package init(key: VerifierKey, witnesses: [VerifierKey] = []) {
        self.key = key
        self.witnesses = witnesses
    }

    /// Takes the checkpoint that the auditor kept, with which consistency is proven; witnesses needn't have signed it.
    ///
    /// - Throws: ``AuditFileError``.
    @discardableResult
    package mutating func keep(_ oldCheckpoint: [UInt8]) throws(AuditFileError) -> LogCheckpoint {
        let note = try AuditFile.note(oldCheckpoint, of: key.name)
        let checkpoint = try verify(note, witnesses: []).checkpoint
        old = checkpoint
        return checkpoint
    }

    /// Says what `file` proves.
    ///
    /// - Throws: ``AuditFileError``.
    package mutating func verify(_ file: [UInt8]) throws(AuditFileError) -> AuditFinding {
        switch try AuditFile(file, of: key.name) {
        case .checkpoint(let note):
            return AuditFinding(proven: .checkpoint, verified: try verify(note, witnesses: witnesses))
        case .proof(let proof): return try verify(proof)
        case .consistency(let proof): return try verify(proof)
        }
    }

    private mutating func verify(_ proof: TlogProof) throws(AuditFileError) -> AuditFinding {
        let verified = try verify(proof.note, witnesses: witnesses)
        guard !proof.extra.isEmpty else { throw .noEvent }
        let hasher = SHA256()
        let event: DisclosedEvent
        do {
            event = try DisclosedEvent(bytes: proof.extra, at: proof.index + 1)
        } catch {
            throw .event(error)
        }
        do {
            try proof.verify(leafHash: event.leafHash(with: hasher), logKey: key, with: hasher)
        } catch {
            throw .proof(error)
        }
        do {
            return AuditFinding(proven: .event(event, try event.record.decodePayload()), verified: verified)
        } catch {
            throw .event(error)
        }
    }

    private mutating func verify(_ proof: TlogConsistency) throws(AuditFileError) -> AuditFinding {
        let verified = try verify(proof.note, witnesses: witnesses)
        guard let old else { throw .noOlderCheckpoint(size: proof.oldSize) }
        do {
            try proof.verify(continuing: old, logKey: key, with: SHA256())
        } catch {
            throw .consistency(error)
        }
        return AuditFinding(proven: .continuation(of: old), verified: verified)
    }

    private mutating func verify(
        _ note: SignedNote,
        witnesses: [VerifierKey]
    ) throws(AuditFileError) -> VerifiedCheckpoint {
        let verified: VerifiedCheckpoint
        do {
            verified = try VerifiedCheckpoint(note, logKey: key, witnesses: witnesses)
        } catch {
            throw .checkpoint(Self.telling(error, of: note, key))
        }
        for witness in witnesses where !verified.cosignatures.contains(where: { $0.key == witness }) {
            throw .notCosigned(witness: witness.title)
        }
        let checkpoint = verified.checkpoint
        guard roots[checkpoint.size] ?? checkpoint.root == checkpoint.root else {
            throw .contradiction(size: checkpoint.size)
        }
        roots[checkpoint.size] = checkpoint.root
        return verified
    }

    /// That nobody known signed is best explained by the log that the note says it is of.
    private static func telling(_ error: CheckpointError, of note: SignedNote, _ key: VerifierKey) -> CheckpointError {
        guard error == .note(.noKnownSignature) else { return error }
        guard let other = try? LogCheckpoint(text: note.text), other.origin != key.name.utf8 else {
            return .notSignedByLog(key: key.title)
        }
        let found = String(decoding: other.origin, as: UTF8.self)
        return .wrongOrigin(expected: key.name.description, found: found)
    }
}
