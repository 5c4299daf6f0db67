internal import COpenSSL

/// Random bytes that nobody can guess, from libcrypto's generator.
package enum Randomness {
    /// `count` random bytes.
    package static func bytes(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // RAND_bytes fails only when the kernel gives no entropy; a predictable salt would be worse than stopping.
            unsafe precondition(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "no random bytes to be had")
            initialized = count
        }
    }

    /// 16 random bytes, as two words.
    package static func words() -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { buffer in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe precondition(RAND_bytes(start, 16) == 1, "no random bytes to be had")
        }
        return words
    }
}
