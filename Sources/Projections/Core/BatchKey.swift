internal import Broker

/// A key of a ``BatchCache``.
protocol BatchKey: Comparable, Sendable {
    /// A number that every byte of the key and of `seed` has a part in.
    ///
    /// The hash of Swift's dictionaries took a fifth of the time of a rebuild. Ids are random or come out of SHA-256,
    /// so that two multiplications do; the seed keeps those from harm who choose what is hashed.
    func hash(_ seed: UInt64) -> UInt64
}

extension Identifier: BatchKey {
    func hash(_ seed: UInt64) -> UInt64 {
        let product = (high ^ seed).multipliedFullWidth(by: low ^ 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }
}
