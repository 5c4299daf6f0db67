package import Cryptography
internal import LMDB

/// An event as an auditor gets it, without the database: the bytes of its record.
///
/// What holds a secret (``PayloadClass/credential``) comes in the form of a redacted one: its commitment stands where
/// salt and payload would. The leaf is the same in either form.
package struct DisclosedEvent: Hashable, Sendable {
    package let offset: Offset
    /// A record as the log stores it (`docs/log-format.md`).
    package let bytes: [UInt8]

    /// Takes what may be shown of a record of the log.
    package init(_ record: Record, with hasher: borrowing SHA256) {
        offset = record.offset
        let isSecret = record.header.payloadClass == .credential && !record.isRedacted
        bytes = isSecret ? record.redacted(with: hasher) : [UInt8](copying: record.bytes)
    }

    /// Takes bytes from anywhere.
    ///
    /// They prove nothing by themselves: ``leafHash(with:)`` must be in a tree that the auditor trusts.
    ///
    /// - Throws: ``RecordError`` if they are no record.
    package init(bytes: [UInt8], at offset: Offset) throws(RecordError) {
        _ = try Record(bytes.span, at: offset)
        self.offset = offset
        self.bytes = bytes
    }

    /// The event's record.
    package var record: Record {
        @_lifetime(borrow self) get {
            guard let record = try? Record(trusting: bytes.span, at: offset) else {
                preconditionFailure("looked at when it was made")
            }
            return record
        }
    }

    /// The hash of the event's leaf, from the bytes and the offset alone.
    package func leafHash(with hasher: borrowing SHA256) -> Digest { record.leafHash(with: hasher) }
}
