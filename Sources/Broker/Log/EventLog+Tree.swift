internal import LMDB
internal import Synchronization

extension EventLog {
    /// How many events one transaction takes in when a tree is completed: some 50 milliseconds and 2 MiB.
    private static let upgradeStep: UInt64 = 65_536

    /// How many events the tree covers; less than ``head`` only until ``upgradeTree(progress:)`` has completed it.
    package var treeSize: UInt64 { durableTree.load(ordering: .acquiring) }

    /// Whether the tree must be completed before anything is appended or proven: the log is from before it had one, an
    /// older version has appended to it, or the completion was interrupted.
    package var needsTreeUpgrade: Bool { treeSize < head }

    /// Runs `body` on a snapshot of the tree.
    ///
    /// Any thread may. Keep it short.
    ///
    /// - Throws: ``TreeError/incomplete(size:head:)`` if the tree doesn't cover all events; what `body` throws.
    package func withTree<Result>(_ body: (borrowing TreeSnapshot) throws -> Result) throws -> Result {
        guard let treeTables else { throw TreeError.incomplete(size: 0, head: head) }
        let environment = environment
        return try withExtendedLifetime(environment) {
            let transaction = try environment.snapshot()
            let size = try treeTables.size(in: transaction)
            let head = try transaction.lastIntegerKey(in: events) ?? 0
            guard size >= head else { throw TreeError.incomplete(size: size, head: head) }
            guard size <= head else { throw TreeError.eventsMissing(head: head, size: size) }
            return try body(TreeSnapshot(transaction, treeTables, events: events, size: size))
        }
    }

    /// Completes the tree of a log that has events without one; returns at once if there are none.
    ///
    /// 65,536 events a transaction, and about a million a second. When it is interrupted, by whatever, it goes on from
    /// there the next time. To be done once after the log was opened, by whoever writes; the first append does it
    /// otherwise.
    ///
    /// - Parameter progress: Told after each transaction how many of how many events are done. What it throws ends it.
    /// - Throws: ``Damaged`` at an event that can't be read; ``TreeError``; `LMDBError`; what `progress` throws.
    package func upgradeTree(progress: (_ done: UInt64, _ total: UInt64) throws -> Void = { _, _ in }) throws {
        try upgradeTree(step: Self.upgradeStep, progress: progress)
    }

    /// Completes the tree in transactions of `step` events.
    func upgradeTree(step: UInt64, progress: (_ done: UInt64, _ total: UInt64) throws -> Void) throws {
        var size = try writer.withLock { try storedTree(&$0).size }
        while size < head {
            size = try writer.withLock { try extendTree(&$0, by: step).size }
            try progress(size, head)
        }
    }

    /// The tree over all durable events, to which the writer appends.
    func completeTree(_ writer: inout TreeWriter) throws -> LogTree {
        var tree = try storedTree(&writer)
        while tree.size < head { tree = try extendTree(&writer, by: Self.upgradeStep) }
        return tree
    }

    /// The tree as far as it is stored.
    private func storedTree(_ writer: inout TreeWriter) throws -> LogTree {
        if let tree = writer.tree { return tree }
        guard let treeTables else { preconditionFailure("a log that is only read has no writer") }
        let tree = try environment.read { try LogTree(in: $0, treeTables, with: writer.hasher) }
        guard tree.size <= head else { throw TreeError.eventsMissing(head: head, size: tree.size) }
        writer.tree = tree
        return tree
    }

    /// Adds the next events to the tree, to the end of a step, and stores it.
    private func extendTree(_ writer: inout TreeWriter, by step: UInt64) throws -> LogTree {
        guard let treeTables else { preconditionFailure("a log that is only read has no writer") }
        var tree = try storedTree(&writer)
        let end = min(head, (tree.size / step + 1) * step)
        try environment.write { transaction in
            var next = tree.size + 1
            try transaction.scan(events, from: next) { position, bytes in
                guard position == next else { throw Damaged(offset: next, reason: .missing) }
                writer.append(try Self.record(bytes, at: position), to: &tree)
                next += 1
                return position < end
            }
            try tree.write(in: &transaction, treeTables)
        }
        writer.tree = tree
        durableTree.store(tree.size, ordering: .releasing)
        return tree
    }
}
