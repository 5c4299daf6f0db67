import Testing

@testable import Cryptography

/// Digests as bytes, words and text.
@Suite struct DigestTests {
    private static let bytes: [UInt8] = Array(0x60..<0x80)

    @Test func `a digest gives back the bytes that it was made of`() throws {
        let made = Digest(Self.bytes.span)
        let digest = try #require(made)
        let bytes = digest.bytes
        #expect(bytes.indices.map { bytes[$0] } == Self.bytes)
        #expect(digest.description == "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f")
        #expect(digest.first16Bytes == (0x6061_6263_6465_6667, 0x6869_6a6b_6c6d_6e6f))
    }

    @Test func `leading zeros are written`() throws {
        let made = Digest([UInt8](repeating: 0, count: 31).span)
        #expect(made == nil)
        let zero = Digest([UInt8](repeating: 0, count: 32).span)
        #expect(zero?.description == String(repeating: "0", count: 64))
    }

    @Test(arguments: [0, 1, 31, 33, 64])
    func `only 32 bytes are a digest`(count: Int) {
        let digest = Digest([UInt8](repeating: 1, count: count).span)
        #expect(digest == nil)
    }

    @Test func `digests are equal when all their bytes are`() throws {
        let original = Digest(Self.bytes.span)
        for index in Self.bytes.indices {
            var changed = Self.bytes
            changed[index] ^= 0x80
            let other = Digest(changed.span)
            #expect(other != original, "byte \(index)")
            #expect(Set([original, other]).count == 2)
        }
        let same = Digest(Self.bytes.span)
        #expect(same == original)
        #expect(same.hashValue == original.hashValue)
    }

    @Test func `two digests behind a byte are hashed as their bytes are`() throws {
        let hasher = SHA256()
        let left = SHA256.hash(Self.bytes.span)
        let right = SHA256.hash([1, 2, 3].span)
        for prefix in [0, 1, 255] as [UInt8] {
            let bytes = [left, right].reduce(into: [prefix]) { bytes, digest in
                let run = digest.bytes
                bytes += run.indices.map { run[$0] }
            }
            #expect(bytes.count == 65)
            #expect(hasher.hash(prefix: prefix, left, right) == SHA256.hash(bytes.span))
        }
    }
}
