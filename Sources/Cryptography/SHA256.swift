internal import COpenSSL

/// SHA-256 (FIPS 180-4) by libcrypto, with a context that is used again and again.
///
/// By libcrypto's own functions for it and not by EVP, which spends 60 ns on each hash, half of what a leaf takes.
///
/// ```swift
/// let hasher = SHA256()
/// hasher.update(salt.span)
/// hasher.update(payload.span)
/// let digest = hasher.finalize()
/// ```
@safe
package struct SHA256: ~Copyable {
    @unsafe private let context: UnsafeMutablePointer<SHA256_CTX>

    package init() {
        unsafe context = .allocate(capacity: 1)
        unsafe context.initialize(to: SHA256_CTX())
        unsafe Self.check(SHA256_Init(context))
    }

    deinit { unsafe context.deallocate() }

    /// Adds `bytes` to what is hashed.
    package borrowing func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe Self.check(SHA256_Update(context, buffer.baseAddress, buffer.count))
        }
    }

    /// The hash of everything added since the last call.
    ///
    /// The next `update` begins anew.
    package borrowing func finalize() -> Digest {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { buffer in
            unsafe Self.check(SHA256_Final(buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), context))
        }
        unsafe Self.check(SHA256_Init(context))
        return Digest(words: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian))
    }

    /// The hash of `bytes`.
    package static func hash(_ bytes: Span<UInt8>) -> Digest {
        let hasher = SHA256()
        hasher.update(bytes)
        return hasher.finalize()
    }

    // They have no reason to fail; going on would sign nonsense.
    private static func check(_ result: Int32) { precondition(result == 1, "libcrypto's SHA-256 failed") }
}
