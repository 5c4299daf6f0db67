import Testing

@testable import Cryptography

/// CRC-32C against RFC 3720, and the instruction against the table.
@Suite struct CRC32CTests {
    /// RFC 3720, appendix B.4.
    ///
    /// The last is the check value that catalogues of checksums give for "123456789".
    @Test(
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
            ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            (Array(0...31), 0x46dd_794e),
            ((0...31).reversed(), 0x113f_db5c),
            (
                [
                    0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                    0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
                    0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                ], 0xd996_3a56
            ),
            (Array("123456789".utf8), 0xe306_9283),
            ([], 0),
        ] as [([UInt8], UInt32)]
    )
    func `bytes have their published checksums`(bytes: [UInt8], expected: UInt32) {
        #expect(CRC32C.checksum(bytes.span) == expected)
        #expect(CRC32C.portableChecksum(bytes.span) == expected)
    }

    @Test func `the processor's instruction and the table agree at every length and alignment`() {
        let bytes = (0..<320).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        for length in 0...300 {
            for start in 0..<8 {
                let span = bytes.span.extracting(start..<start + length)
                let checksums = (CRC32C.checksum(span), CRC32C.portableChecksum(span))
                #expect(checksums.0 == checksums.1, "\(length) bytes from \(start)")
            }
        }
    }

    @Test func `a checksum can be continued`() {
        let bytes = (0..<100).map { UInt8($0) }
        let whole = CRC32C.checksum(bytes.span)
        for cut in 0...bytes.count {
            let first = CRC32C.checksum(bytes.span.extracting(0..<cut))
            let both = CRC32C.checksum(bytes.span.extracting(cut..<bytes.count), continuing: first)
            #expect(both == whole, "cut at \(cut)")
        }
    }

    @Test func `every change of one or two bits is found`() {
        let bytes = (0..<40).map { UInt8(truncatingIfNeeded: $0 &* 73) }
        let whole = CRC32C.checksum(bytes.span)
        for first in 0..<bytes.count * 8 {
            for second in first..<bytes.count * 8 {
                var changed = bytes
                changed[first / 8] ^= 1 << UInt8(first % 8)
                if second != first { changed[second / 8] ^= 1 << UInt8(second % 8) }
                guard CRC32C.checksum(changed.span) != whole else {
                    Issue.record("bits \(first) and \(second)")
                    continue
                }
            }
        }
    }
}
