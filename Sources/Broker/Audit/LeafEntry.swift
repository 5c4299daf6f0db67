package import Cryptography
internal import LMDB

/// What a leaf of the log's tree says of an event, read from an entry bundle (`docs/log-format.md`, "The leaf").
///
/// Who did what to whom and when, but not what was said.
package struct LeafEntry: Equatable, Sendable {
    package static let byteCount = EventHeader.byteCount + 8 + Digest.byteCount

    package let header: EventHeader
    package let offset: Offset
    /// SHA-256 over the salt and the payload.
    package let commitment: Digest

    /// Reads the 116 bytes of an entry.
    ///
    /// - Throws: ``RecordError`` if they are none that this version knows.
    package init(_ bytes: Span<UInt8>) throws(RecordError) {
        guard bytes.count == Self.byteCount else { throw .truncated }
        // The mark of a redacted record is no part of a leaf.
        guard bytes[3] & Record.redactedBit == 0 else { throw .unknownPayloadClass(bytes[3]) }
        header = try EventHeader(bytes.extracting(first: EventHeader.byteCount))
        offset = bytes.bigEndian(at: EventHeader.byteCount)
        guard let digest = Digest(bytes.extracting(last: Digest.byteCount)) else { throw .truncated }
        commitment = digest
    }
}
