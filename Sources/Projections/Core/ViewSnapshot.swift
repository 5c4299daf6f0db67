internal import Broker
internal import LMDB

/// A view as it is at one moment.
///
/// A read transaction: never keep it across a suspension.
struct ViewSnapshot: ~Copyable {
    let transaction: ReadTransaction
    /// Its files are needed as long as they are read.
    private let store: ViewStore
    /// The offset that it reflects.
    let asOf: Offset

    /// - Parameter transaction: One of `store`, which reflects `asOf`.
    init(_ transaction: consuming ReadTransaction, of store: ViewStore, asOf: Offset) {
        self.transaction = transaction
        self.store = store
        self.asOf = asOf
    }

    /// The tables in the projection's order.
    var tables: [Table] { store.tables }
}
