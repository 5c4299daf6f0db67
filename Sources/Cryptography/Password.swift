internal import COpenSSL
internal import CXCrypt

/// Why a password can't be hashed.
package enum PasswordError: Error, Hashable {
    /// The C library would stop at the NUL, so that any password that begins alike would fit.
    case containsNUL
    /// bcrypt looks at the first 72 bytes only, so that any password that begins alike would fit.
    case tooLong(bytes: Int)
    /// libxcrypt takes 4 to 31.
    case costOutOfRange(Int)
    /// libxcrypt has no bcrypt; some distributions build it without.
    case unavailable
}

/// Hashes passwords with bcrypt (Provos and Mazières 1999), by libxcrypt.
///
/// ```swift
/// let hash = try Password.hash(Array("correct horse".utf8), cost: 12)   // $2b$12$…, 60 characters
/// Password.verify(Array("correct horse".utf8), against: hash)           // true
/// ```
///
/// Both verbs block: 170 ms at cost 12, twice that with every step. Never call them on an event loop or on the
/// threads of Swift's tasks.
package enum Password {
    /// The longest password in bytes.
    package static let maxBytes = 72

    /// Hashes `password` under a random salt.
    ///
    /// - Parameters:
    ///   - password: At most ``maxBytes`` bytes, none of them 0.
    ///   - cost: The logarithm to base 2 of the number of rounds, 4 to 31.
    /// - Returns: The hash with its salt and cost, 60 ASCII characters that begin with `$2b$`.
    /// - Throws: ``PasswordError``.
    package static func hash(_ password: [UInt8], cost: Int) throws(PasswordError) -> String {
        try check(password)
        guard 4...31 ~= cost else { throw .costOutOfRange(cost) }
        guard let setting = makeSetting(cost: cost), let hash = crypt(password, setting: setting) else {
            throw .unavailable
        }
        return String(decoding: hash, as: UTF8.self)
    }

    /// Whether `hash` was made of `password`; the comparison takes the same time wherever they differ.
    ///
    /// - Parameters:
    ///   - password: What was typed; one that can't be hashed fits nothing.
    ///   - hash: A bcrypt hash; anything else is fitted by nothing.
    /// - Returns: Whether they belong together.
    package static func verify(_ password: [UInt8], against hash: String) -> Bool {
        // libxcrypt knows a dozen methods by their prefix, some of them broken: none but bcrypt gets past here.
        let stored = [UInt8](hash.utf8)
        guard stored.count == hashBytes, stored.starts(with: "$2".utf8), !stored.contains(0),
            (try? check(password)) != nil, let computed = crypt(password, setting: stored)
        else { return false }
        return areEqual(computed, stored)
    }

    private static let hashBytes = 60

    private static func check(_ password: [UInt8]) throws(PasswordError) {
        guard password.count <= maxBytes else { throw .tooLong(bytes: password.count) }
        guard !password.contains(0) else { throw .containsNUL }
    }

    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe CRYPTO_memcmp(left, right, left.count) == 0
    }

    /// `$2b$`, the cost and 16 random bytes, in bcrypt's own base 64.
    private static func makeSetting(cost: Int) -> [UInt8]? {
        let salt = Randomness.bytes(16)
        return unsafe salt.withUnsafeBytes { salt in
            unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CRYPT_GENSALT_OUTPUT_SIZE)) { output in
                let made = unsafe crypt_gensalt_rn(
                    "$2b$",
                    UInt(cost),
                    salt.bindMemory(to: CChar.self).baseAddress,
                    Int32(salt.count),
                    output.baseAddress,
                    Int32(output.count)
                )
                return unsafe made.map { unsafe copy($0) }
            }
        }
    }

    /// `crypt_rn`: a hash that can be compared with the one that `setting` may be, nil if the setting is nonsense.
    private static func crypt(_ password: [UInt8], setting: [UInt8]) -> [UInt8]? {
        let size = MemoryLayout<crypt_data>.size
        // 32 KiB: too much for a stack that isn't ours. It must be zero before first use, and what it held is wiped.
        let data = UnsafeMutableRawPointer.allocate(
            byteCount: size,
            alignment: MemoryLayout<crypt_data>.alignment
        )
        unsafe data.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        var phrase = password + [0]
        defer {
            unsafe OPENSSL_cleanse(data, size)
            unsafe data.deallocate()
            unsafe phrase.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
        }
        return unsafe phrase.withUnsafeBytes { phrase in
            unsafe (setting + [0]).withUnsafeBytes { setting in
                guard let phrase = unsafe phrase.bindMemory(to: CChar.self).baseAddress,
                    let setting = unsafe setting.bindMemory(to: CChar.self).baseAddress,
                    let hash = unsafe crypt_rn(phrase, setting, data, Int32(size))
                else { return nil }
                return unsafe copy(hash)
            }
        }
    }

    /// The bytes of a C string.
    private static func copy(_ string: UnsafeMutablePointer<CChar>) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while unsafe string[index] != 0 {
            bytes.append(UInt8(bitPattern: unsafe string[index]))
            index += 1
        }
        return bytes
    }
}
