internal import Cryptography
internal import LMDB

/// 16 neighbouring hashes of a level of tiles, as they are stored: how many there are yet (4 bytes, little-endian), the
/// hashes with zeros for those to come, and CRC-32C of all that.
///
/// Of one length from the beginning, so that a row is written over in its place as it grows and seven fill a page: 37
/// bytes an event. A whole tile in a row takes three pages, 48 bytes an event, and another two or three in each commit
/// while it isn't full.
enum TreeRow {
    /// How many hashes it has room for.
    static let width = 16
    static let byteCount = 4 + width * Digest.byteCount + 4

    private static let hashesEnd = 4 + width * Digest.byteCount

    /// The row of `hashes`, of which there are at most ``width``, one after the other.
    static func encode(_ hashes: Span<UInt8>, into row: inout [UInt8]) {
        row.removeAll(keepingCapacity: true)
        row.append(littleEndian: UInt32(hashes.count / Digest.byteCount))
        row.append(hashes)
        row.append(contentsOf: repeatElement(0, count: hashesEnd - row.count))
        row.append(littleEndian: CRC32C.checksum(row.span))
    }

    /// The hashes of a row, one after the other.
    ///
    /// - Returns: Nil if it is damaged.
    @_lifetime(copy row)
    static func decode(_ row: Span<UInt8>) -> Span<UInt8>? {
        guard row.count == byteCount,
            CRC32C.checksum(row.extracting(first: hashesEnd)) == row.littleEndian(at: hashesEnd)
        else { return nil }
        let count: UInt32 = row.littleEndian(at: 0)
        guard 1...UInt32(width) ~= count else { return nil }
        return row.extracting(4..<4 + Int(count) * Digest.byteCount)
    }
}
