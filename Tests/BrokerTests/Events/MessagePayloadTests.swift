import LMDB
import SwiftProtobuf
import Testing

@testable import Broker

/// The hand-written payload of messages against the code that is generated from `Payloads.proto`.
@Suite struct MessagePayloadTests {
    @Test(arguments: Sample.texts.indices)
    func `both encoders write the same bytes`(index: Int) throws {
        let text = Sample.texts[index]
        for (content, id) in [(text, ""), ("", text), (text, text), (text, "id")] {
            let generated: [UInt8] = try Quipu_V1_MessageSentPayload.with {
                $0.content = content
                $0.id = id
            }.serializedBytes()
            #expect(MessagePayload.encode(content: Array(content.utf8), id: Array(id.utf8)) == generated)
            #expect(self.content(of: generated) == Array(content.utf8))
            #expect(self.id(of: generated) == Array(id.utf8))
        }
    }

    @Test func `lengths at every boundary of a varint are written right`() throws {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
            let text = [UInt8](repeating: 0x61, count: length)
            let bytes = MessagePayload.encode(content: text, id: text)
            let decoded = try Quipu_V1_MessageSentPayload(serializedBytes: bytes)
            #expect(decoded.content.utf8.count == length)
            #expect(decoded.id.utf8.count == length)
            #expect(content(of: bytes).count == length)
            #expect(id(of: bytes).count == length)
        }
    }

    /// Fields in any order, repeated, unknown, of another wire type, with lengths longer than need be.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `both decoders read the same out of any well-formed message`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for round in 0..<500 {
            let bytes = (0..<Int.random(in: 0...6, using: &random)).flatMap { _ in randomField(&random) }
            let decoded = try Quipu_V1_MessageSentPayload(serializedBytes: bytes)
            #expect(content(of: bytes) == Array(decoded.content.utf8), "round \(round): \(bytes)")
            #expect(id(of: bytes) == Array(decoded.id.utf8), "round \(round): \(bytes)")
            let edited = try Quipu_V1_MessageEditedPayload(serializedBytes: bytes)
            #expect(content(of: bytes) == Array(edited.content.utf8), "round \(round): \(bytes)")
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `whatever the bytes, nothing crashes, and what the generated code accepts is read alike`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var accepted = 0
        for round in 0..<2000 {
            var bytes = (0..<Int.random(in: 1...4, using: &random)).flatMap { _ in randomField(&random) }
            switch Int.random(in: 0...2, using: &random) {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            case 1: bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            default:
                bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
            let read = (content: content(of: bytes), id: id(of: bytes))
            #expect(read.content.count + read.id.count <= bytes.count)
            guard let decoded = try? Quipu_V1_MessageSentPayload(serializedBytes: bytes) else { continue }
            accepted += 1
            let isRefusedGroup = hasGroup(bytes) && read == ([], [])
            let isAlike = read == (Array(decoded.content.utf8), Array(decoded.id.utf8))
            #expect(isAlike || isRefusedGroup, "round \(round): \(bytes)")
        }
        #expect(accepted > 100)
    }

    @Test(
        arguments: [
            [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x61],
            [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x61],
            [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            [0x0a, 0x02, 0x61], [0x0a], [0x8a], [0x0b], [0x0c], [0x0f], [0x00], [0x02, 0x01, 0x61],
            [0x0a, 0x01, 0x61, 0x09, 0, 0, 0], [0x0a, 0x01, 0x61, 0x0d, 0, 0, 0], [0x0a, 0x01, 0x61, 0x80],
            [0x0a, 0x01, 0x61, 0x08, 0xff],
            [0x0a, 0x01, 0x61, 0x8a, 0x80, 0x80, 0x80, 0x80, 0x01, 0x01, 0x62],
        ] as [[UInt8]]
    )
    func `lengths, keys and ends that can't be are an empty message`(bytes: [UInt8]) {
        #expect(content(of: bytes).isEmpty)
        #expect(id(of: bytes).isEmpty)
        #expect(throws: (any Error).self) { try Quipu_V1_MessageSentPayload(serializedBytes: bytes) }
    }

    private func content(of bytes: [UInt8]) -> [UInt8] { [UInt8](copying: MessagePayload.content(of: bytes.span)) }

    private func id(of bytes: [UInt8]) -> [UInt8] { [UInt8](copying: MessagePayload.id(of: bytes.span)) }

    /// Whether a byte could begin or end a group, which proto3 has no more but its decoders skip.
    private func hasGroup(_ bytes: [UInt8]) -> Bool { bytes.contains { [3, 4].contains($0 & 7) } }

    private func randomField(_ random: inout SplitMix) -> [UInt8] {
        let number = UInt64([1, 1, 2, 2, 3, 4, 5, 15, 16, 2047, 536_870_911].randomElement(using: &random) ?? 1)
        // Fields 3 and 4 keep the types that they are declared with; a string must be UTF-8 in either decoder.
        let wireType: UInt64 = number == 3 ? 0 : number == 4 ? 2 : [0, 1, 2, 2, 5].randomElement(using: &random) ?? 2
        let key = varint(number << 3 | wireType, padding: 0)
        switch wireType {
        case 0: return key + varint(UInt64.random(in: 0...(.max), using: &random), padding: 0)
        case 1: return key + (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
        case 5: return key + (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
        default:
            let text = Array((Sample.texts.dropLast().randomElement(using: &random) ?? "").utf8)
            return key + varint(UInt64(text.count), padding: Int.random(in: 0...2, using: &random)) + text
        }
    }

    /// `value`, with `padding` bytes more than it needs.
    private func varint(_ value: UInt64, padding: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        for _ in 0..<padding {
            bytes[bytes.count - 1] |= 0x80
            bytes.append(0)
        }
        return bytes
    }
}
