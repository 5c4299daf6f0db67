package import Cryptography

/// Why bytes are no proof of consistency, or one that proves nothing.
package enum TlogConsistencyError: Error, Hashable, CustomStringConvertible {
    /// More bytes than ``TlogConsistency/maximumByteCount``.
    case tooLong(bytes: Int)
    /// The first line isn't `old` and a number.
    case oldSize
    case hashes(HashLinesError)
    case note(NoteError)
    case checkpoint(CheckpointError)
    /// The proof begins at another size than the older checkpoint's.
    case wrongOldSize(expected: UInt64, found: UInt64)
    case consistency(ProofError)

    package var description: String {
        switch self {
        case .tooLong(let count):
            "\(count) bytes are too many for a proof; the limit is \(TlogConsistency.maximumByteCount)"
        case .oldSize: "line 1 of the proof should be 'old' and the number of leaves of the older tree"
        case .hashes(let error): error.description
        case .note(let error): error.description
        case .checkpoint(let error): error.description
        case .wrongOldSize(let expected, let found):
            "the proof begins at \(found) leaves, the older checkpoint has \(expected)"
        case .consistency(let error): error.description
        }
    }
}

/// A proof as a file: that a log continues an older checkpoint of it.
///
/// The form is the body of a witness's `add-checkpoint` (C2SP tlog-witness), so that the same bytes can be sent to one:
/// the size of the older tree, the hashes, an empty line and the newer checkpoint.
package struct TlogConsistency: Hashable, Sendable {
    /// The longest file in bytes.
    package static let maximumByteCount = 2 << 20

    /// How many leaves the older tree has.
    package let oldSize: UInt64
    /// As in ``ConsistencyProof/hashes``.
    package let hashes: [Digest]
    /// The newer checkpoint, with all its signatures.
    package let note: SignedNote

    /// Creates a file from a proof and the checkpoint of the newer tree.
    package init(_ proof: ConsistencyProof, note: SignedNote) {
        self.note = note
        oldSize = proof.oldSize
        hashes = proof.hashes
    }

    /// Reads a file; ``encode()`` gives the same bytes again.
    ///
    /// - Throws: ``TlogConsistencyError`` if it isn't one.
    package init(_ file: [UInt8]) throws(TlogConsistencyError) {
        guard file.count <= Self.maximumByteCount else { throw .tooLong(bytes: file.count) }
        var reader = LineReader(file)
        guard let digits = reader.next(after: "old"), let oldSize = UInt64(canonicalDecimal: digits) else {
            throw .oldSize
        }
        self.oldSize = oldSize
        do {
            hashes = try reader.nextHashes()
        } catch {
            throw .hashes(error)
        }
        do {
            note = try SignedNote(Array(reader.rest))
        } catch {
            throw .note(error)
        }
    }

    /// The file's bytes.
    package func encode() -> [UInt8] {
        let lines = ["old \(oldSize)"] + hashes.map(\.base64)
        return Array((lines.joined(separator: "\n") + "\n\n").utf8) + note.encode()
    }

    /// Verifies that the log of `logKey` continues `old`.
    ///
    /// - Parameters:
    ///   - old: A checkpoint that the auditor verified before and kept.
    ///   - logKey: The log's key, from a source that the auditor trusts.
    ///   - witnesses: Keys whose signatures count when they are there; a wrong one is refused.
    ///   - hasher: Computes the hashes, at most two for each of the proof's.
    /// - Returns: The newer checkpoint.
    /// - Throws: ``TlogConsistencyError`` if it doesn't, or the checkpoint can't be trusted.
    @discardableResult
    package func verify(
        continuing old: LogCheckpoint,
        logKey: VerifierKey,
        witnesses: [VerifierKey] = [],
        with hasher: borrowing SHA256
    ) throws(TlogConsistencyError) -> VerifiedCheckpoint {
        let verified: VerifiedCheckpoint
        do {
            verified = try VerifiedCheckpoint(note, logKey: logKey, witnesses: witnesses)
        } catch {
            throw .checkpoint(error)
        }
        guard old.origin == verified.checkpoint.origin else {
            let found = String(decoding: old.origin, as: UTF8.self)
            throw .checkpoint(.wrongOrigin(expected: logKey.name.description, found: found))
        }
        guard oldSize == old.size else { throw .wrongOldSize(expected: old.size, found: oldSize) }
        do {
            try ConsistencyProof(oldSize: oldSize, newSize: verified.checkpoint.size, hashes: hashes)
                .verify(oldRoot: old.root, newRoot: verified.checkpoint.root, with: hasher)
        } catch {
            throw .consistency(error)
        }
        return verified
    }
}
