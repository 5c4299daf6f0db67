import Testing

@testable import Server

/// IP addresses and blocks: what is one, how it is written, and what lies in it.
@Suite struct AddressBlockTests {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.1.2.3/32", "10.1.2.3"), ("10.1.2.3/0", "0.0.0.0/0"), ("192.0.2.255/25", "192.0.2.128/25"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::a/32", "2001:db8::/32"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:0:0:4:0:0:0:8", "1:0:0:4::8"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
        ("0001:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("::/0", "::/0"), ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:10.1.0.1/104", "10.0.0.0/8"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"), ("fe80::1/128", "fe80::1"),
    ])
    func `what is an address is read and written in its usual form`(text: String, written: String) throws {
        let block = try #require(AddressBlock(text))
        #expect(block.description == written)
        #expect(AddressBlock(written) == block)
    }

    @Test(arguments: [
        "", " ", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1.2.3.+4", "01.2.3.4", "1.2.3.4 ",
        "1..3.4",
        "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+8", "1.2.3.4/8/8", "/8", "1.2.3.4:80", "0x1.2.3.4", "１.2.3.4",
        ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1/129", "[::1]",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7::8", "1.2.3.4::", "::1.2.3", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
    ])
    func `what is none is refused`(text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test func `a block of any length holds exactly the addresses that share its bits`() throws {
        for (address, width) in [("170.85.170.85", 32), ("aa55:aa55:aa55:aa55:aa55:aa55:aa55:aa55", 128)] {
            let inside = try #require(AddressBlock(address))
            let others = try (0..<width).map { try #require(AddressBlock(flipping($0, of: inside))) }
            for bits in 0...width {
                let block = try #require(AddressBlock("\(address)/\(bits)"))
                #expect(block.contains(inside))
                #expect(block.contains(block))
                #expect(others.indices.filter { block.contains(others[$0]) } == Array(bits..<width), "\(block)")
            }
        }
    }

    @Test func `no block holds a wider one or one of the other kind`() throws {
        let narrow = try #require(AddressBlock("10.0.0.0/9"))
        let wide = try #require(AddressBlock("10.0.0.0/8"))
        #expect(wide.contains(narrow))
        #expect(!narrow.contains(wide))
        #expect(try !#require(AddressBlock("::/0")).contains(wide))
        #expect(try !#require(AddressBlock("0.0.0.0/0")).contains(#require(AddressBlock("::"))))
    }

    /// The address with one bit the other way, as text.
    private func flipping(_ bit: Int, of block: AddressBlock) -> String {
        var bytes = block.bytes
        bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
        guard bytes.count == 16 else { return bytes.map { "\($0)" }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }
}
