internal import COpenSSL

/// Ed25519 signatures (RFC 8032), by libcrypto.
///
/// ```swift
/// let key = Ed25519.PrivateKey.generate()
/// let signature = key.sign(message.span)                        // always the same 64 bytes for this message
/// key.publicKey.verify(signature.span, of: message.span)        // true
/// ```
///
/// Signing takes about 30 µs, verifying about 100 µs.
package enum Ed25519 {
    /// The length of a private key in bytes: RFC 8032's seed, from which everything else follows.
    package static let seedByteCount = 32
    package static let publicKeyByteCount = 32
    package static let signatureByteCount = 64

    /// What signs.
    ///
    /// libcrypto wipes its memory when the last reference goes.
    // libcrypto never changes the key after it was made and counts references to it itself: hence @unchecked.
    @safe
    package final class PrivateKey: @unchecked Sendable {
        @unsafe private let handle: OpaquePointer
        /// What verifies the signatures of this key.
        package let publicKey: PublicKey

        /// Creates the key whose seed is `seed`.
        ///
        /// - Returns: Nil if it doesn't have 32 bytes; any 32 will do.
        package init?(seed: Span<UInt8>) {
            guard seed.count == seedByteCount else { return nil }
            let made = unsafe seed.withUnsafeBufferPointer { seed in
                unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed.baseAddress, seed.count)
            }
            guard let made = unsafe made else { preconditionFailure("libcrypto has no Ed25519, or no memory") }
            unsafe handle = made
            let bytes = unsafe Self.rawBytes(publicKeyByteCount) { unsafe EVP_PKEY_get_raw_public_key(made, $0, $1) }
            guard let publicKey = PublicKey(bytes: bytes.span) else { preconditionFailure("a public key has 32 bytes") }
            self.publicKey = publicKey
        }

        deinit { unsafe EVP_PKEY_free(handle) }

        /// A new key, of 32 bytes from libcrypto's generator.
        package static func generate() -> PrivateKey {
            var seed = Randomness.bytes(seedByteCount)
            defer { unsafe seed.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) } }
            guard let key = PrivateKey(seed: seed.span) else { preconditionFailure("a seed has 32 bytes") }
            return key
        }

        /// The 32 bytes to keep secret, from which ``init(seed:)`` makes this key again.
        package var seed: [UInt8] {
            unsafe Self.rawBytes(seedByteCount) { unsafe EVP_PKEY_get_raw_private_key(handle, $0, $1) }
        }

        /// The signature of `message`, 64 bytes.
        ///
        /// There is no randomness in it: the same message always gets the same.
        package func sign(_ message: Span<UInt8>) -> [UInt8] {
            let context = unsafe Ed25519.makeContext()
            defer { unsafe EVP_MD_CTX_free(context) }
            unsafe precondition(
                EVP_DigestSignInit(context, nil, nil, nil, handle) == 1,
                "libcrypto refused an Ed25519 key"
            )
            return unsafe message.withUnsafeBufferPointer { message in
                unsafe Self.rawBytes(signatureByteCount) {
                    unsafe EVP_DigestSign(context, $0, $1, message.baseAddress, message.count)
                }
            }
        }

        /// The `count` bytes that one of libcrypto's functions fills in.
        private static func rawBytes(
            _ count: Int,
            _ fill: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>) -> Int32
        ) -> [UInt8] {
            unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                var length = count
                // Both fail for want of memory alone; going on would sign nonsense.
                unsafe precondition(fill(buffer.baseAddress, &length) == 1 && length == count, "Ed25519 failed")
                initialized = count
            }
        }
    }

    /// What verifies.
    package struct PublicKey: Hashable, Sendable {
        /// The 32 bytes as RFC 8032 encodes them.
        package let bytes: [UInt8]

        /// Takes the bytes as they are: what is no point on the curve verifies nothing.
        ///
        /// - Returns: Nil if there aren't 32.
        package init?(bytes: Span<UInt8>) {
            guard bytes.count == publicKeyByteCount else { return nil }
            self.bytes = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
        }

        /// Whether the holder of the private key signed `message`.
        ///
        /// - Parameters:
        ///   - signature: Any bytes; what hasn't 64 is no signature.
        ///   - message: What was signed.
        /// - Returns: Whether they belong together.
        package func verify(_ signature: Span<UInt8>, of message: Span<UInt8>) -> Bool {
            guard signature.count == signatureByteCount else { return false }
            guard let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
                preconditionFailure("libcrypto has no Ed25519, or no memory")
            }
            let context = unsafe Ed25519.makeContext()
            defer {
                unsafe EVP_MD_CTX_free(context)
                unsafe EVP_PKEY_free(key)
                // What failed would stay in this thread's queue, for another caller of libcrypto to stumble over.
                ERR_clear_error()
            }
            guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
            return unsafe signature.withUnsafeBufferPointer { signature in
                unsafe message.withUnsafeBufferPointer { message in
                    unsafe EVP_DigestVerify(
                        context,
                        signature.baseAddress,
                        signature.count,
                        message.baseAddress,
                        message.count
                    ) == 1
                }
            }
        }
    }

    @unsafe
    private static func makeContext() -> OpaquePointer {
        guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory for a context") }
        return unsafe context
    }
}
