internal import COpenSSL

/// SHA-256 (FIPS 180-4) by libcrypto, with a context that is used again and again: making one costs more than hashing
/// a message.
///
/// ```swift
/// let hasher = SHA256()
/// hasher.update(salt.span)
/// hasher.update(payload.span)
/// let digest = hasher.finalize()
/// ```
@safe
package struct SHA256: ~Copyable {
    @unsafe private let context: OpaquePointer
    // EVP_sha256() looks its implementation up on every use; a fetched one doesn't.
    private static let algorithm: Algorithm = Algorithm()

    package init() {
        guard let created = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory for a hash context") }
        unsafe context = created
        unsafe Self.check(EVP_DigestInit_ex2(created, Self.algorithm.handle, nil))
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Adds `bytes` to what is hashed.
    package borrowing func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe Self.check(EVP_DigestUpdate(context, buffer.baseAddress, buffer.count))
        }
    }

    /// The hash of everything added since the last call.
    ///
    /// The next `update` begins anew.
    package borrowing func finalize() -> Digest {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { buffer in
            var length: UInt32 = 0
            unsafe Self.check(
                EVP_DigestFinal_ex(context, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &length)
            )
            precondition(length == 32)
        }
        unsafe Self.check(EVP_DigestInit_ex2(context, nil, nil))
        return Digest(words: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian))
    }

    /// The hash of `bytes`.
    package static func hash(_ bytes: Span<UInt8>) -> Digest {
        let hasher = SHA256()
        hasher.update(bytes)
        return hasher.finalize()
    }

    // libcrypto fails here for want of memory alone; going on would sign nonsense.
    private static func check(_ result: Int32) { precondition(result == 1, "libcrypto's SHA-256 failed") }

    // The handle is immutable and reference counted by libcrypto, which shares it between threads: hence @unchecked.
    @safe
    private final class Algorithm: @unchecked Sendable {
        @unsafe let handle: OpaquePointer
        init() {
            guard let fetched = unsafe EVP_MD_fetch(nil, "SHA256", nil) else {
                preconditionFailure("libcrypto has no SHA-256")
            }
            unsafe handle = fetched
        }
    }
}
