// One question about the tree, each on a snapshot of its own; for several that must agree, `EventLog.withTree`.
extension EventLog {
    /// The head of the tree over all durable events.
    ///
    /// Less than a tenth of a millisecond.
    ///
    /// - Throws: ``TreeError``.
    package func treeHead() throws -> TreeHead { try withTree { try $0.head() } }

    /// The head that the tree had when there were `size` events.
    ///
    /// - Throws: ``TreeError``.
    package func treeHead(at size: UInt64) throws -> TreeHead { try withTree { try $0.head(at: size) } }

    /// Proves that the event at `offset` is in the tree of the first `size` events.
    ///
    /// - Throws: ``TreeError``, ``ProofError``, ``Damaged``.
    package func inclusionProof(of offset: Offset, size: UInt64) throws -> InclusionProof {
        try withTree { try $0.inclusionProof(of: offset, size: size) }
    }

    /// Proves that the tree of the first `newSize` events continues that of the first `oldSize`.
    ///
    /// - Throws: ``TreeError``, ``ProofError``.
    package func consistencyProof(from oldSize: UInt64, to newSize: UInt64) throws -> ConsistencyProof {
        try withTree { try $0.consistencyProof(from: oldSize, to: newSize) }
    }

    /// The tile of hashes at `coordinate`.
    ///
    /// - Returns: Nil if the tree hasn't got it.
    /// - Throws: ``TreeError``.
    package func tile(at coordinate: TileCoordinate) throws -> HashTile? {
        try withTree { try $0.tile(at: coordinate) }
    }

    /// The entries at `coordinate`, as an entry bundle.
    ///
    /// - Returns: Nil if the log hasn't got them.
    /// - Throws: ``TreeError``, ``Damaged``.
    package func entryBundle(at coordinate: TileCoordinate) throws -> [UInt8]? {
        try withTree { try $0.entryBundle(at: coordinate) }
    }
}
