import NIOCore
import Testing

@testable import Server

@Suite struct AnswerTests {
    @Test func `peers come in the order of the bytes of their names`() {
        // Twelve bytes decide; past them names are compared.
        let parts = ["", "a", "b", "12345678", "1234567", "12345678901", "é", "\u{7f}", "s9", "s10", "界"]
        var names = Set<String>()
        for one in parts {
            for other in parts { for third in ["", "x", "12345678"] { names.insert(one + other + third) } }
        }
        let shuffled = names.shuffled().map { Array($0.utf8) }
        let list = Self.list(shuffled)
        #expect(list.order.map { shuffled[$0] } == shuffled.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(list.count == shuffled.count)
        #expect(list.byteCount == shuffled.reduce(0) { $0 + $1.count })
        #expect(shuffled.indices.allSatisfy { list[$0].count == shuffled[$0].count })
        #expect(NameList().order.isEmpty)
    }

    private static func list(_ names: [[UInt8]]) -> NameList {
        var list = NameList(capacity: 1)
        for name in names { list.append(name) }
        return list
    }

    @Test(arguments: [(65_536, 1, true), (131_072, 32_769, true), (131_072, 32_768, false), (1 << 20, 7, false)])
    func `a channel that waits keeps no more than four times what it is sent`(room: Int, count: Int, keeps: Bool) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(room)
        bytes.writeRepeatingByte(7, count: count)
        let kept = Dispatcher.toKeep(bytes)
        #expect(kept == bytes)
        #expect((kept.capacity == room) == keeps)
    }
}
