package import Cryptography

/// Why bytes are no proof, or one that proves nothing.
package enum TlogProofError: Error, Hashable, CustomStringConvertible {
    /// More bytes than ``TlogProof/maximumByteCount``.
    case tooLong(bytes: Int)
    /// The first line isn't `c2sp.org/tlog-proof@v1`.
    case header
    /// Line 2 says `extra`, but no base 64 follows.
    case extra
    /// The line that should say `index` and a number doesn't.
    case index(line: Int)
    case hashes(HashLinesError)
    case note(NoteError)
    case checkpoint(CheckpointError)
    case inclusion(ProofError)

    package var description: String {
        switch self {
        case .tooLong(let count): "\(count) bytes are too many for a proof; the limit is \(TlogProof.maximumByteCount)"
        case .header: "line 1 of the proof should be \(TlogProof.header)"
        case .extra: "line 2 of the proof should be 'extra' and base 64"
        case .index(let line): "line \(line) of the proof should be 'index' and a number"
        case .hashes(let error): error.description
        case .note(let error): error.description
        case .checkpoint(let error): error.description
        case .inclusion(let error): error.description
        }
    }
}

/// A proof as a file: that a leaf is in a log whose checkpoint is in the file as well (C2SP tlog-proof).
package struct TlogProof: Hashable, Sendable {
    /// The longest file in bytes: room for an event of 16 MiB in base 64, the most that `limits.content_bytes` allows,
    /// and the longest note.
    package static let maximumByteCount = 24 << 20
    static let header = "c2sp.org/tlog-proof@v1"

    /// What the verifier needs to compute the leaf; empty if nothing.
    ///
    /// Nobody vouches for it but the leaf's hash: bytes that lead to another leaf prove nothing.
    package let extra: [UInt8]
    /// Which leaf, from 0.
    package let index: UInt64
    /// As in ``InclusionProof/hashes``.
    package let hashes: [Digest]
    /// The log's checkpoint, with all its signatures.
    package let note: SignedNote

    /// Creates a file from a proof and the checkpoint of the tree that it was made for.
    package init(_ proof: InclusionProof, note: SignedNote, extra: [UInt8] = []) {
        self.extra = extra
        self.note = note
        index = proof.index
        hashes = proof.hashes
    }

    /// Reads a file; ``encode()`` gives the same bytes again.
    ///
    /// - Throws: ``TlogProofError`` if it isn't one.
    package init(_ file: [UInt8]) throws(TlogProofError) {
        guard file.count <= Self.maximumByteCount else { throw .tooLong(bytes: file.count) }
        var reader = LineReader(file)
        guard reader.next()?.elementsEqual(Self.header.utf8) == true else { throw .header }
        var extra: [UInt8] = []
        if let text = reader.next(after: "extra") {
            guard let bytes = Base64.decode(text), !bytes.isEmpty else { throw .extra }
            extra = bytes
        }
        guard let digits = reader.next(after: "index"), let index = UInt64(canonicalDecimal: digits) else {
            throw .index(line: extra.isEmpty ? 2 : 3)
        }
        self.extra = extra
        self.index = index
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
        var lines = [Self.header]
        if !extra.isEmpty { lines.append("extra \(Base64.encode(extra.span))") }
        lines.append("index \(index)")
        lines += hashes.map(\.base64)
        return Array((lines.joined(separator: "\n") + "\n\n").utf8) + note.encode()
    }

    /// Verifies that the leaf with the hash `leafHash` is in the log of `logKey`.
    ///
    /// - Parameters:
    ///   - leafHash: Computed from what the auditor was shown, never taken from the proof.
    ///   - logKey: The log's key, from a source that the auditor trusts.
    ///   - witnesses: Keys whose signatures count when they are there; a wrong one is refused.
    ///   - hasher: Computes the hashes, one for each of the proof's.
    /// - Returns: The log's checkpoint.
    /// - Throws: ``TlogProofError`` if it isn't, or the checkpoint can't be trusted.
    @discardableResult
    package func verify(
        leafHash: Digest,
        logKey: VerifierKey,
        witnesses: [VerifierKey] = [],
        with hasher: borrowing SHA256
    ) throws(TlogProofError) -> VerifiedCheckpoint {
        let verified: VerifiedCheckpoint
        do {
            verified = try VerifiedCheckpoint(note, logKey: logKey, witnesses: witnesses)
        } catch {
            throw .checkpoint(error)
        }
        let head = verified.checkpoint
        do {
            try InclusionProof(index: index, size: head.size, hashes: hashes)
                .verify(leafHash: leafHash, root: head.root, with: hasher)
        } catch {
            throw .inclusion(error)
        }
        return verified
    }
}
