import Broker
import Cryptography

/// Makes what an auditor is given: checkpoints of a log that its key signs, and proofs that lead to them.
///
/// Any thread may ask, while another process appends to the log.
struct LogProver: Sendable {
    let log: EventLog
    let key: AuditKey

    /// The signed head of the tree over all events.
    ///
    /// - Throws: `TreeError`.
    func checkpoint() throws -> SignedNote { key.checkpoint(of: try log.treeHead()) }

    /// Proves that the event at `offset` is in the tree over all events, and brings along as much of it as may be
    /// shown.
    ///
    /// - Throws: `TreeError`; `EventLog.Damaged`; `ProofError` if there is no such event.
    func proof(of offset: Offset) throws -> TlogProof {
        let hasher = SHA256()
        let (proof, head) = try log.withTree { tree in
            (try tree.inclusionProof(of: offset, size: tree.size), try tree.head())
        }
        // Read after the proof was made, so its record may be another by now; it is redacted, or it isn't the tree's.
        guard let event = try log.withRecord(at: offset, { DisclosedEvent($0, with: hasher) }),
            (try? proof.verify(leafHash: event.leafHash(with: hasher), root: head.root, with: hasher)) != nil
        else { throw TreeError.eventAltered(offset) }
        return TlogProof(proof, note: key.checkpoint(of: head), extra: event.bytes)
    }

    /// Proves that the log continues `old`, a checkpoint of it.
    ///
    /// - Throws: ``Discontinuity`` if it doesn't; `TreeError`.
    func consistency(from old: LogCheckpoint) throws -> TlogConsistency {
        let (proof, head) = try log.withTree { tree in
            guard old.size <= tree.size else { throw Discontinuity.shorter(size: tree.size, oldSize: old.size) }
            guard try tree.head(at: old.size).root == old.root else {
                throw Discontinuity.rewritten(oldSize: old.size)
            }
            return (try tree.consistencyProof(from: old.size, to: tree.size), try tree.head())
        }
        return TlogConsistency(proof, note: key.checkpoint(of: head))
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
