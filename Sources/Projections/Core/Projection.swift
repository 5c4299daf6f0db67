package import Broker
package import Cryptography
package import LMDB

/// A pure reducer: what a view holds is a function of the events alone.
///
/// No clock, no randomness, no iteration in hash order. On a valid log `apply` fails only for want of room. What a
/// batch changes may be kept in memory until ``flush(in:)``, so that a row that many events change is written once, and
/// rows are written in the order of their keys.
package protocol Projection: Sendable {
    /// The view's name, on disk and to people: `rooms`.
    static var name: String { get }
    /// Counts up when the same events must give other rows; an old view is then dropped and rebuilt.
    static var version: Int { get }
    /// The tables, in the order of the digest.
    static var tables: [String] { get }

    /// Events that the view takes in at once, even while nobody asks it: what reads them doesn't wait for it.
    static var promptTypes: EventTypes { get }
    /// The types of events that change anything; ``apply(_:in:with:)`` isn't told of others.
    static var eventTypes: EventTypes { get }
    /// Those of them whose payloads' commitments it asks for.
    static var committedTypes: EventTypes { get }

    /// - Parameter tables: ``tables``, opened.
    init(tables: [Table])

    /// Takes in the next event of the log that is of one of ``eventTypes``.
    ///
    /// - Parameter hasher: For the commitments of payloads; making one costs more than hashing a message.
    mutating func apply(
        _ record: borrowing Record,
        in transaction: inout WriteTransaction,
        with hasher: borrowing SHA256
    ) throws

    /// How much memory that takes which is only there, nearly; what is written in order is counted with the room for
    /// ordering it.
    var heldBytes: Int { get }

    /// Writes what is only in memory and forgets it. Called before every commit.
    mutating func flush(in transaction: inout WriteTransaction) throws

    /// Forgets what is only in memory. Called when a transaction has failed.
    mutating func discard()

    /// Adds to `digest` what a row of the table at `table` contributes beside its key.
    static func digest(
        _ digest: inout ViewDigest.Builder,
        table: Int,
        key: Span<UInt8>,
        value: Span<UInt8>
    )
}

extension Projection {
    package static var promptTypes: EventTypes { [] }
}
