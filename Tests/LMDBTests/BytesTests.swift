import Testing

@testable import LMDB

/// Integers in and out of bytes, at every place of a short run, and never past its end.
@Suite struct BytesTests {
    private static let bytes = (1...24).map { UInt8(truncatingIfNeeded: $0 * 37) }

    @Test(arguments: 0...16)
    func `integers are read at any place, aligned or not`(offset: Int) {
        let span = Self.bytes.span
        let window = Self.bytes[offset..<offset + 8]
        let big = window.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        let read = (
            big: span.bigEndian(at: offset, as: UInt64.self), little: span.littleEndian(at: offset, as: UInt64.self),
            short: span.bigEndian(at: offset, as: UInt16.self), word: span.littleEndian(at: offset, as: UInt32.self),
            byte: span.bigEndian(at: offset, as: UInt8.self)
        )
        #expect(read.big == big)
        #expect(read.little == big.byteSwapped)
        #expect(read.short == UInt16(truncatingIfNeeded: big >> 48))
        #expect(read.word == UInt32(truncatingIfNeeded: big.byteSwapped))
        #expect(read.byte == Self.bytes[offset])
    }

    @Test func `what is appended is read back`() {
        var bytes: [UInt8] = [0xff]
        bytes.append(bigEndian: 0x0102 as UInt16)
        bytes.append(littleEndian: 0x0304_0506 as UInt32)
        bytes.append([9, 8].span)
        bytes.append([UInt8]().span)
        #expect(bytes == [0xff, 1, 2, 6, 5, 4, 3, 9, 8])
        bytes.overwrite(littleEndian: 0xaabb as UInt16, at: 7)
        #expect(bytes == [0xff, 1, 2, 6, 5, 4, 3, 0xbb, 0xaa])
        bytes.append(littleEndian: [1, 0x0203])
        #expect(bytes.suffix(16) == [1, 0, 0, 0, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0])
        let copy = [UInt8](copying: bytes.span)
        #expect(copy == bytes)
    }

    @Test func `spans are equal when all their bytes are`() {
        let runs: [[UInt8]] = [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [0, 2, 3], [1, 2, 4], [1, 0, 3]]
        for left in runs {
            for right in runs {
                let areEqual = left.span.isEqual(to: right.span)
                #expect(areEqual == (left == right), "\(left), \(right)")
            }
        }
    }

    @Test func `text is decoded, ill-formed parts replaced`() {
        let samples: [(bytes: [UInt8], text: String)] = [
            (Array("안녕 🌍".utf8), "안녕 🌍"), ([0x61, 0xff, 0x62], "a\u{fffd}b"), ([], ""),
        ]
        for sample in samples {
            let text = String(decoding: sample.bytes.span)
            #expect(text == sample.text)
        }
    }

    @Test func `nothing past the end is read or written`() async {
        await #expect(processExitsWith: .failure) { _ = [1, 2, 3, 4, 5, 6, 7].span.bigEndian(at: 0, as: UInt64.self) }
        await #expect(processExitsWith: .failure) { _ = [1, 2, 3, 4].span.littleEndian(at: 3, as: UInt16.self) }
        await #expect(processExitsWith: .failure) { _ = [1, 2, 3, 4].span.littleEndian(at: -1, as: UInt16.self) }
        await #expect(processExitsWith: .failure) { _ = [1, 2, 3, 4].span.littleEndian(at: .max, as: UInt16.self) }
        await #expect(processExitsWith: .failure) {
            var bytes: [UInt8] = [1, 2, 3]
            bytes.overwrite(littleEndian: 1 as UInt32, at: 0)
        }
        await #expect(processExitsWith: .failure) {
            var bytes: [UInt8] = [1, 2, 3, 4]
            bytes.overwrite(littleEndian: 1 as UInt32, at: -1)
        }
    }
}
