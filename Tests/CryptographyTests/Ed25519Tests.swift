import Testing

@testable import Cryptography

/// Ed25519 against the vectors of RFC 8032, and against anything but the right signature.
@Suite struct Ed25519Tests {
    struct Vector: CustomStringConvertible {
        var description: String
        var seed, publicKey, message, signature: String
    }

    /// RFC 8032, 7.1.
    static let vectors = [
        Vector(
            description: "test 1",
            seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        Vector(
            description: "test 2",
            seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            message: "72",
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        Vector(
            description: "test 3",
            seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ]

    @Test(arguments: vectors)
    func `a seed gives its published key, and a message its published signature`(vector: Vector) throws {
        let key = try #require(makeKey(bytes(vector.seed)))
        #expect(key.publicKey.bytes == bytes(vector.publicKey))
        #expect(key.seed == bytes(vector.seed))
        #expect(sign(bytes(vector.message), key) == bytes(vector.signature))
        #expect(verify(bytes(vector.signature), of: bytes(vector.message), key.publicKey))
    }

    @Test func `one changed bit of signature, message or key is refused`() throws {
        let key = try #require(makeKey(bytes(Self.vectors[2].seed)))
        let message = bytes(Self.vectors[2].message)
        let signature = sign(message, key)
        for bit in 0..<signature.count * 8 {
            #expect(!verify(flipping(bit, of: signature), of: message, key.publicKey), "bit \(bit) of the signature")
        }
        for bit in 0..<message.count * 8 {
            #expect(!verify(signature, of: flipping(bit, of: message), key.publicKey), "bit \(bit) of the message")
        }
        for bit in 0..<key.publicKey.bytes.count * 8 {
            let other = try #require(makePublicKey(flipping(bit, of: key.publicKey.bytes)))
            #expect(!verify(signature, of: message, other), "bit \(bit) of the key")
        }
    }

    @Test func `a signature or a key of any other length is none`() throws {
        let key = try #require(makeKey(bytes(Self.vectors[0].seed)))
        let signature = sign([], key)
        for count in 0..<signature.count {
            #expect(!verify(Array(signature.prefix(count)), of: [], key.publicKey), "\(count) bytes")
        }
        #expect(!verify(signature + [0], of: [], key.publicKey))
        for count in [0, 1, 31, 33, 64] {
            let bytes = [UInt8](repeating: 1, count: count)
            #expect(makeKey(bytes) == nil)
            #expect(makePublicKey(bytes) == nil)
        }
    }

    /// RFC 8032, 5.1.7: S must be below the group's order L, or one signature could be turned into another.
    @Test func `a signature with the order added to its second half is refused`() throws {
        let key = try #require(makeKey(bytes(Self.vectors[1].seed)))
        var signature = sign([7], key)
        let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        var carry = 0
        for index in 0..<32 {
            let sum = Int(signature[32 + index]) + Int(order[index]) + carry
            signature[32 + index] = UInt8(sum & 0xff)
            carry = sum >> 8
        }
        #expect(carry == 0)
        #expect(!verify(signature, of: [7], key.publicKey))
    }

    @Test func `generated keys differ, and each can be made again from its seed`() throws {
        let keys = (0..<4).map { _ in Ed25519.PrivateKey.generate() }
        #expect(Set(keys.map(\.publicKey)).count == keys.count)
        for key in keys {
            let again = try #require(makeKey(key.seed))
            #expect(again.publicKey == key.publicKey)
            #expect(verify(sign([1, 2, 3], key), of: [1, 2, 3], again.publicKey))
        }
    }

    // Spans don't get through #expect: these take arrays.

    private func makeKey(_ seed: [UInt8]) -> Ed25519.PrivateKey? { Ed25519.PrivateKey(seed: seed.span) }

    private func makePublicKey(_ bytes: [UInt8]) -> Ed25519.PublicKey? { Ed25519.PublicKey(bytes: bytes.span) }

    private func sign(_ message: [UInt8], _ key: Ed25519.PrivateKey) -> [UInt8] { key.sign(message.span) }

    private func verify(_ signature: [UInt8], of message: [UInt8], _ key: Ed25519.PublicKey) -> Bool {
        key.verify(signature.span, of: message.span)
    }

    private func flipping(_ bit: Int, of bytes: [UInt8]) -> [UInt8] {
        var changed = bytes
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        return changed
    }

    private func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
