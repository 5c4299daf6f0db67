internal import Cryptography
internal import LMDB

/// Salts, 16 random bytes each, drawn 256 at a time: a call of the generator costs more than the bytes.
struct SaltSource {
    private var pool: [UInt8] = []
    private var position = 0

    mutating func next() -> (UInt64, UInt64) {
        if position == pool.count {
            pool = Randomness.bytes(256 * Record.saltByteCount)
            position = 0
        }
        defer { position += Record.saltByteCount }
        let span = pool.span
        return (span.bigEndian(at: position), span.bigEndian(at: position + 8))
    }
}
