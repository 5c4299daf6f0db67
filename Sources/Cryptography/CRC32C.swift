internal import CChecksum

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4): finds damage, not malice.
///
/// About 20 bytes a nanosecond.
package enum CRC32C {
    /// The checksum of `bytes`, or of what `seed` is the checksum of followed by `bytes`.
    package static func checksum(_ bytes: Span<UInt8>, continuing seed: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { unsafe quipu_crc32c(seed, $0.baseAddress, $0.count) }
    }

    /// The same by table, as machines without the instruction compute it.
    static func portableChecksum(_ bytes: Span<UInt8>) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { unsafe quipu_crc32c_portable(0, $0.baseAddress, $0.count) }
    }
}
