import Testing

@testable import Cryptography

/// SHA-256 against published vectors, and in pieces against at once.
@Suite struct SHA256Tests {
    /// FIPS 180-4's examples, as NIST publishes them (CSRC, "Examples with Intermediate Values", SHA256.pdf).
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func `texts have their published hashes`(text: String, expected: String) {
        #expect(SHA256.hash(Array(text.utf8).span).description == expected)
    }

    @Test func `in pieces it is the same as at once, with one hasher used again and again`() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let hasher = SHA256()
        for length in 0...bytes.count {
            let expected = SHA256.hash(bytes.span.extracting(first: length))
            for cut in Set([0, 1, length / 3, length / 2, length]) where cut <= length {
                hasher.update(bytes.span.extracting(0..<cut))
                hasher.update(bytes.span.extracting(cut..<length))
                let digest = hasher.finalize()
                #expect(digest == expected, "\(length) bytes cut at \(cut)")
            }
        }
    }

    @Test func `one changed bit changes the hash`() {
        let bytes = [UInt8](repeating: 0x5a, count: 70)
        var digests: Set<Digest> = [SHA256.hash(bytes.span)]
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            digests.insert(SHA256.hash(changed.span))
        }
        #expect(digests.count == bytes.count * 8 + 1)
    }
}
