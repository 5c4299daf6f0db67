package import Cryptography

/// Why a note is no checkpoint, or not one of the log in question.
package enum CheckpointError: Error, Hashable, CustomStringConvertible {
    case note(NoteError)
    /// The first line is missing or empty.
    case origin
    /// The second line is no number of leaves.
    case size
    /// The third line is no hash in base 64.
    case root
    /// The line is empty, or doesn't end.
    case extensionLine(Int)
    /// A tree without leaves has one root, and this is another.
    case rootOfEmptyTree
    /// Others signed, the log didn't.
    case notSignedByLog(key: String)
    /// The log signed for another log.
    case wrongOrigin(expected: String, found: String)

    package var description: String {
        switch self {
        case .note(let error): error.description
        case .origin: "line 1 of the checkpoint should name its origin"
        case .size: "line 2 of the checkpoint should be the number of leaves"
        case .root: "line 3 of the checkpoint should be the root in base 64"
        case .extensionLine(let line): "line \(line) of the checkpoint is empty or doesn't end"
        case .rootOfEmptyTree: "the checkpoint has no leaves, but not the root of a tree without leaves"
        case .notSignedByLog(let key): "the checkpoint isn't signed by the log's key \(key)"
        case .wrongOrigin(let expected, let found): "the checkpoint is of the log \(found), not of \(expected)"
        }
    }
}

/// What a log signs: how many leaves its tree has, and the root (C2SP tlog-checkpoint).
package struct LogCheckpoint: Hashable, Sendable {
    /// Which log; UTF-8 without line ends.
    package let origin: [UInt8]
    /// How many leaves.
    package let size: UInt64
    package let root: Digest
    /// Further lines of anybody's making, without their line ends; none as a rule.
    package let extensionLines: [[UInt8]]

    /// Creates a checkpoint of the log that signs with a key of the name `origin`.
    package init(origin: NoteKeyName, size: UInt64, root: Digest) {
        precondition(size <= MerkleTree.maximumSize, "a tree over the limit")
        self.origin = origin.utf8
        self.size = size
        self.root = root
        extensionLines = []
    }

    /// Reads the text of a note.
    ///
    /// - Throws: ``CheckpointError`` if it is no checkpoint.
    package init(text: [UInt8]) throws(CheckpointError) {
        var reader = LineReader(text)
        guard let origin = reader.next(), !origin.isEmpty else { throw .origin }
        guard let line = reader.next(), let size = UInt64(canonicalDecimal: line) else { throw .size }
        guard let line = reader.next(), let root = Digest(base64: line) else { throw .root }
        guard size > 0 || root == MerkleTree.emptyRoot else { throw .rootOfEmptyTree }
        var extensionLines: [[UInt8]] = []
        while !reader.rest.isEmpty {
            guard let line = reader.next(), !line.isEmpty else {
                throw .extensionLine(4 + extensionLines.count)
            }
            extensionLines.append(Array(line))
        }
        self.origin = Array(origin)
        self.size = size
        self.root = root
        self.extensionLines = extensionLines
    }

    /// The text to be signed.
    package var text: [UInt8] {
        let head = origin + Array("\n\(size)\n\(root.base64)\n".utf8)
        return extensionLines.reduce(head) { $0 + $1 + [UInt8(ascii: "\n")] }
    }

    /// The note that `key` signs.
    ///
    /// A log must never sign two checkpoints of which neither continues the other.
    package func sign(with key: SigningKey) throws(NoteError) -> SignedNote {
        try SignedNote(signing: text, with: [key])
    }
}

/// A checkpoint that its log signed, and which witnesses did.
package struct VerifiedCheckpoint: Hashable, Sendable {
    package let checkpoint: LogCheckpoint
    /// The signatures by known witnesses, in the order of the note.
    package let cosignatures: [VerifiedSignature]

    /// Verifies that `note` is a checkpoint signed by `logKey`, whose name is the log's origin.
    ///
    /// - Parameters:
    ///   - note: What the log published.
    ///   - logKey: The log's key, from a source that the auditor trusts.
    ///   - witnesses: Keys whose signatures count when they are there; a wrong one is refused.
    /// - Throws: ``CheckpointError``.
    package init(
        _ note: SignedNote,
        logKey: VerifierKey,
        witnesses: [VerifierKey] = []
    ) throws(CheckpointError) {
        let signatures: [VerifiedSignature]
        do {
            signatures = try note.verify(with: [logKey] + witnesses)
        } catch {
            throw .note(error)
        }
        guard signatures.contains(where: { $0.key == logKey }) else { throw .notSignedByLog(key: logKey.title) }
        checkpoint = try LogCheckpoint(text: note.text)
        guard checkpoint.origin == logKey.name.utf8 else {
            let found = String(decoding: checkpoint.origin, as: UTF8.self)
            throw .wrongOrigin(expected: logKey.name.description, found: found)
        }
        cosignatures = signatures.filter { $0.key != logKey }
    }
}
