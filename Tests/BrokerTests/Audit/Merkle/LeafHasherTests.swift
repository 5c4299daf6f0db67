import Cryptography
import Testing

@testable import Broker

/// The quick way to a leaf's hash against the plain one.
@Suite struct LeafHasherTests {
    @Test func `every record of the golden log has the same leaf, redacted or not`() throws {
        let hasher = SHA256()
        var leaves = LeafHasher()
        let records = try GoldenLog.first.records()
        #expect(records.count > 10)
        for (index, bytes) in records.enumerated() {
            let record = try Record(bytes.span, at: Offset(index + 1))
            let expected = MerkleTree.leafHash(of: record.leafEntry(with: hasher).span, with: hasher)
            let plain = record.leafHash(with: hasher)
            let quick = leaves.hash(record, with: hasher)
            #expect(plain == expected)
            #expect(quick == expected)

            let redacted = record.redacted(with: hasher)
            let after = leaves.hash(try Record(redacted.span, at: Offset(index + 1)), with: hasher)
            #expect(after == expected)
            let elsewhere = leaves.hash(try Record(bytes.span, at: Offset(index + 2)), with: hasher)
            #expect(elsewhere != expected)
        }
    }
}
