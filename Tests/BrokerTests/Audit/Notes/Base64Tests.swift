import Cryptography
import Foundation
import Testing

@testable import Broker

/// Base 64 against Foundation's, and what Foundation lets through.
@Suite struct Base64Tests {
    @Test func `it writes what Foundation writes, and reads it`() {
        var numbers = SplitMix(seed: 64)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            let text = Data(bytes).base64EncodedString()
            #expect(Base64.encode(bytes.span) == text)
            #expect(Base64.decode(Array(text.utf8)) == bytes)
        }
    }

    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `it has the RFC's examples`(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8).span) == text)
        #expect(Base64.decode(Array(text.utf8)) == Array(plain.utf8))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "=", "==", "====", "Z===", "=g==", "Zg=a", "Zm9v\n", "Zm 9v",
        "Zm9-",
        "Zm9_", "Zm\n9v", "Zm9vY", "\u{e9}Zg", "Zm9v====",
    ])
    func `what is no canonical base 64 is refused`(text: String) { #expect(Base64.decode(Array(text.utf8)) == nil) }

    @Test func `of all texts of four characters, one and only one stands for each run of bytes`() {
        let alphabet = Array("AEIQgz01+/=\n".utf8)
        for first in alphabet {
            for second in alphabet {
                for third in alphabet {
                    for fourth in alphabet {
                        let text = [first, second, third, fourth]
                        guard let bytes = Base64.decode(text) else { continue }
                        #expect(Array(Base64.encode(bytes.span).utf8) == text)
                    }
                }
            }
        }
    }

    @Test func `a hash is 44 characters, and nothing else`() {
        let root = MerkleTree.emptyRoot
        #expect(root.base64 == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(Digest(base64: Array(root.base64.utf8)) == root)
        for count in 0..<44 { #expect(Digest(base64: Array(root.base64.utf8.prefix(count))) == nil) }
        #expect(Digest(base64: Array(("AAAA" + root.base64).utf8)) == nil)
    }

    @Test(arguments: [
        ("0", 0), ("1", 1), ("10", 10), ("9223372036854775807", UInt64(Int64.max)), ("", nil), ("00", nil), ("01", nil),
        ("9223372036854775808", nil), ("9999999999999999999", nil), ("18446744073709551617", nil), ("1 ", nil),
        ("-1", nil),
        ("1_0", nil), ("１", nil), (String(repeating: "9", count: 1000), nil),
    ])
    func `numbers are read in one form only`(text: String, expected: UInt64?) {
        #expect(UInt64(canonicalDecimal: text.utf8) == expected)
    }
}
