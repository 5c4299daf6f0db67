package import Cryptography
internal import LMDB

/// Bytes that are no record, or not one that this version can read.
package enum RecordError: Error, Equatable, CustomStringConvertible {
    /// The log goes on after it, but it isn't there.
    case missing
    case truncated
    case checksum
    case unknownFormat(UInt8)
    case unknownType(UInt8)
    case unknownVersion(EventType, UInt8)
    case unknownPayloadClass(UInt8)
    case payload(EventType)

    package var description: String {
        switch self {
        case .missing: "the record is missing"
        case .truncated: "the record is too short"
        case .checksum: "the record's checksum doesn't match: the file is damaged"
        case .unknownFormat(let format): "record format \(format) is unknown: a newer version wrote it"
        case .unknownType(let type): "event type \(type) is unknown: a newer version wrote it"
        case .unknownVersion(let type, let version):
            "version \(version) of \(type.name) is unknown: a newer version wrote it"
        case .unknownPayloadClass(let value): "payload class \(value) is unknown: a newer version wrote it"
        case .payload(let type): "the payload is no \(type.name)"
        }
    }
}

/// An event as the log stores it: header ‖ salt ‖ payload ‖ checksum, or, once redacted, header ‖ commitment ‖
/// checksum.
///
/// The bytes are borrowed from a transaction or a batch. `docs/log-format.md` is the reference.
package struct Record: ~Escapable {
    /// Set in the stored payload class of a redacted record.
    ///
    /// Not part of the published header: nothing in a leaf changes.
    static let redactedBit: UInt8 = 0x80
    static let saltByteCount = 16
    static let checksumByteCount = 4

    package let header: EventHeader
    package let offset: Offset
    package let isRedacted: Bool
    /// Everything stored, the checksum included.
    package let bytes: Span<UInt8>
    /// What ``commitment(with:)`` returns, if somebody has computed it already.
    private let computed: Digest?

    /// Reads a record.
    ///
    /// - Throws: ``RecordError``; ``RecordError/checksum`` is looked for first.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>, at offset: Offset) throws(RecordError) {
        let bodyEnd = bytes.count - Self.checksumByteCount
        guard bodyEnd >= EventHeader.byteCount + Self.saltByteCount else { throw .truncated }
        guard CRC32C.checksum(bytes.extracting(first: bodyEnd)) == bytes.littleEndian(at: bodyEnd) else {
            throw .checksum
        }
        try self.init(trusting: bytes, at: offset)
    }

    /// Reads a record whose checksum was looked at before, or that was never on a disk.
    ///
    /// - Parameter commitment: What ``commitment(with:)`` would return, if it is known.
    @_lifetime(copy bytes)
    package init(
        trusting bytes: Span<UInt8>,
        at offset: Offset,
        commitment: Digest? = nil
    ) throws(RecordError) {
        header = try EventHeader(bytes)
        isRedacted = bytes[3] & Self.redactedBit != 0
        let body = bytes.count - EventHeader.byteCount - Self.checksumByteCount
        guard body >= Self.saltByteCount, !isRedacted || body == Digest.byteCount else { throw .truncated }
        self.bytes = bytes
        self.offset = offset
        computed = commitment
    }

    /// The protobuf payload; empty once redacted.
    package var payload: Span<UInt8> {
        @_lifetime(copy self) get {
            if isRedacted { return bytes.extracting(0..<0) }
            return bytes.extracting(
                EventHeader.byteCount + Self.saltByteCount..<bytes.count - Self.checksumByteCount
            )
        }
    }

    /// What commits to the payload without showing it: SHA-256(salt ‖ payload).
    ///
    /// The same before and after redaction.
    package func commitment(with hasher: borrowing SHA256) -> Digest {
        if let computed { return computed }
        let body = bytes.extracting(EventHeader.byteCount..<bytes.count - Self.checksumByteCount)
        if isRedacted, let stored = Digest(body) { return stored }
        hasher.update(body)
        return hasher.finalize()
    }

    /// The entry of the transparency log: header ‖ offset, 8 bytes big-endian ‖ commitment; 116 bytes.
    package func leafEntry(with hasher: borrowing SHA256) -> [UInt8] {
        var entry: [UInt8] = []
        entry.reserveCapacity(EventHeader.byteCount + 8 + Digest.byteCount)
        header.append(to: &entry)
        entry.append(bigEndian: offset)
        entry.append(commitment(with: hasher).bytes.span)
        return entry
    }

    /// The hash of the leaf: SHA-256(0x00 ‖ entry), RFC 9162, 2.1.1.
    package func leafHash(with hasher: borrowing SHA256) -> Digest {
        let entry = leafEntry(with: hasher)
        return MerkleTree.leafHash(of: entry.span, with: hasher)
    }

    /// Appends the stored form of an event to `bytes`.
    ///
    /// - Parameter salt: 16 random bytes.
    static func append(header: EventHeader, salt: (UInt64, UInt64), payload: Span<UInt8>, to bytes: inout [UInt8]) {
        let start = bytes.count
        header.append(to: &bytes)
        bytes.append(bigEndian: salt.0)
        bytes.append(bigEndian: salt.1)
        bytes.append(payload)
        appendChecksum(from: start, to: &bytes)
    }

    /// The stored form of this event without its payload and salt.
    package func redacted(with hasher: borrowing SHA256) -> [UInt8] {
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        bytes[3] |= Self.redactedBit
        bytes.append(commitment(with: hasher).bytes.span)
        Self.appendChecksum(from: 0, to: &bytes)
        return bytes
    }

    private static func appendChecksum(from start: Int, to bytes: inout [UInt8]) {
        let checksum = CRC32C.checksum(bytes.span.extracting(start..<bytes.count))
        bytes.append(littleEndian: checksum)
    }
}
