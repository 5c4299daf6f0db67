import Broker
import Cryptography

/// Makes what an auditor is given: checkpoints of a log that its key signs, and proofs that lead to them.
///
/// Any thread may ask, while another process appends to the log.
struct LogProver: Sendable {
    let log: EventLog
    let key: AuditKey
    let checkpoints: CheckpointSigner

    init(log: EventLog, key: AuditKey) {
        self.log = log
        self.key = key
        checkpoints = CheckpointSigner(key: key)
    }

    /// The signed head of the tree over all events.
    ///
    /// - Throws: `TreeError`.
    func checkpoint() throws -> SignedNote { try log.withTree { try checkpoints.checkpoint(of: $0.size, in: $0) } }

    /// Proves that the event at `offset` is in the tree of the first `size` events, and brings along as much of it as
    /// may be shown.
    ///
    /// - Parameter size: Nil for all events.
    /// - Throws: `TreeError`; `EventLog.Damaged`; `ProofError` if there is no such event.
    func proof(of offset: Offset, size: UInt64? = nil) throws -> TlogProof {
        let hasher = SHA256()
        let (proof, root, note) = try log.withTree { tree in
            let size = size ?? tree.size
            let proof = try tree.inclusionProof(of: offset, size: size)
            return (proof, try tree.head(at: size).root, try checkpoints.checkpoint(of: size, in: tree))
        }
        // Read after the proof was made, so its record may be another by now; it is redacted, or it isn't the tree's.
        guard let event = try log.withRecord(at: offset, { DisclosedEvent($0, with: hasher) }),
            (try? proof.verify(leafHash: event.leafHash(with: hasher), root: root, with: hasher)) != nil
        else { throw TreeError.eventAltered(offset) }
        return TlogProof(proof, note: note, extra: event.bytes)
    }

    /// Proves that the log continues `old`, a checkpoint of it.
    ///
    /// - Throws: ``Discontinuity`` if it doesn't; `TreeError`.
    func consistency(from old: LogCheckpoint) throws -> TlogConsistency {
        try log.withTree { tree in
            guard old.size <= tree.size else { throw Discontinuity.shorter(size: tree.size, oldSize: old.size) }
            guard try tree.head(at: old.size).root == old.root else {
                throw Discontinuity.rewritten(oldSize: old.size)
            }
            return try consistency(from: old.size, to: tree.size, in: tree)
        }
    }

    /// Proves that the tree of the first `newSize` events continues that of the first `oldSize`.
    ///
    /// - Throws: `TreeError`; `ProofError` if the sizes are the wrong way round.
    func consistency(
        from oldSize: UInt64,
        to newSize: UInt64,
        in tree: borrowing TreeSnapshot
    ) throws -> TlogConsistency {
        let proof = try tree.consistencyProof(from: oldSize, to: newSize)
        return TlogConsistency(proof, note: try checkpoints.checkpoint(of: newSize, in: tree))
    }
}

/// Why a log doesn't continue an older checkpoint of it.
enum Discontinuity: Error, Hashable, CustomStringConvertible {
    /// It has fewer events.
    case shorter(size: UInt64, oldSize: UInt64)
    /// Its first events are others.
    case rewritten(oldSize: UInt64)

    var description: String {
        switch self {
        case .shorter(let size, let oldSize):
            "the log doesn't continue the checkpoint: it has \(size) events, and had \(oldSize) when that was signed; "
                + "its end was cut off, or this is an older copy"
        case .rewritten(let oldSize):
            "the log doesn't continue the checkpoint: its first \(oldSize) events are not those that were signed; "
                + "they were altered, or this is a copy that went another way"
        }
    }
}
