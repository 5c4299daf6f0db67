internal import Cryptography
internal import LMDB

/// The checksum that a row with text carries, over its key and everything in it: what the digest of a view can't cover,
/// because it comes from a payload, is still checked.
enum Seal {
    static let byteCount = 4

    /// The checksum of the row `key` whose seal is at `place`.
    static func compute(_ key: Span<UInt8>, _ row: Span<UInt8>, at place: Int) -> UInt32 {
        var checksum = CRC32C.checksum(key)
        checksum = CRC32C.checksum(row.extracting(first: place), continuing: checksum)
        return CRC32C.checksum(row.extracting(place + byteCount..<row.count), continuing: checksum)
    }
}
