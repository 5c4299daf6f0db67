import Broker
import Synchronization

/// Signs checkpoints of the log when somebody asks for one, and the same one only once.
final class CheckpointSigner: Sendable {
    private let key: AuditKey
    private let last = Mutex<(size: UInt64, note: SignedNote)?>(nil)

    init(key: AuditKey) { self.key = key }

    /// The signed checkpoint of the tree of the first `size` events.
    ///
    /// - Throws: ``TreeError``.
    func checkpoint(of size: UInt64, in tree: borrowing TreeSnapshot) throws -> SignedNote {
        if let note = last.withLock({ $0?.size == size ? $0?.note : nil }) { return note }
        let note = key.checkpoint(of: try tree.head(at: size))
        // Who asks for an old one doesn't push out the newest, which the others ask for.
        if size == tree.size { last.withLock { $0 = (size, note) } }
        return note
    }
}
