import NIOCore
import NIOHTTP1

/// The head of a request for a WebSocket, written the way that nearly all clients write it.
///
/// For the first look at a connection: NIO's HTTP handlers cost more than all the rest of a handshake. It reads the
/// plainest form alone, `GET /ws… HTTP/1.1` and lines `Name: value` of visible ASCII that end with CRLF, and what it
/// reads NIO's decoder reads the same. Everything else, also what is merely unusual, is left to that.
struct PlainUpgrade {
    let head: HTTPRequestHead
    /// How many bytes the head takes, the empty line at its end included.
    let headBytes: Int

    /// Past so many headers NIO's decoder is asked, which has a limit of its own.
    static let maxHeaders = 64

    /// Reads a request's head if `bytes` begin with a whole one; nil leaves it to NIO's decoder.
    ///
    /// - Parameter maxHeadBytes: The most that the whole head may take.
    init?(_ bytes: ByteBuffer, maxHeadBytes: Int) {
        var reader = Reader(bytes: bytes)
        let text = bytes.readableBytesUInt8Span
        guard let target = reader.requestLine(text), let uri = reader.string(target) else { return nil }
        var fields: [(String, String)] = []
        fields.reserveCapacity(8)
        while !reader.skip(text, "\r\n") {
            guard let (name, value) = reader.field(text), fields.count < Self.maxHeaders else { return nil }
            guard let name = reader.string(name), let value = reader.string(value) else { return nil }
            // A body, announced or not, is for those who know how to skip one.
            guard !Self.announcesBody(name) else { return nil }
            fields.append((name, value))
        }
        guard reader.index <= maxHeadBytes else { return nil }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: HTTPHeaders(fields))
        guard head.isOnSocketPath else { return nil }
        self.head = head
        headBytes = reader.index
    }

    private static func announcesBody(_ name: String) -> Bool {
        switch name.utf8.count {
        case 14: name.lowercased() == "content-length"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }

    private struct Reader {
        let bytes: ByteBuffer
        var index = 0

        func string(_ range: Range<Int>) -> String? {
            bytes.getString(at: bytes.readerIndex + range.lowerBound, length: range.count)
        }

        /// Goes past `word` if it comes next.
        mutating func skip(_ text: borrowing Span<UInt8>, _ word: StaticString) -> Bool {
            let end = index + word.utf8CodeUnitCount
            guard end <= text.count else { return false }
            var at = index
            for byte in word.description.utf8 {
                guard text[at] == byte else { return false }
                at += 1
            }
            index = end
            return true
        }

        /// - Returns: Where the target stands.
        mutating func requestLine(_ text: borrowing Span<UInt8>) -> Range<Int>? {
            guard skip(text, "GET /ws") else { return nil }
            let start = index - 3
            // A fragment has no place in a request.
            while index < text.count, text[index] > 0x20, text[index] < 0x7f, text[index] != UInt8(ascii: "#") {
                index += 1
            }
            let end = index
            return skip(text, " HTTP/1.1\r\n") ? start..<end : nil
        }

        /// - Returns: Where the name and the value of a header stand, the spaces around the value left out.
        mutating func field(_ text: borrowing Span<UInt8>) -> (name: Range<Int>, value: Range<Int>)? {
            let start = index
            while index < text.count, Self.isTokenByte(text[index]) { index += 1 }
            let name = start..<index
            guard !name.isEmpty, skip(text, ":") else { return nil }
            while index < text.count, text[index] == 0x20 { index += 1 }
            let valueStart = index
            while index < text.count, text[index] >= 0x20, text[index] < 0x7f { index += 1 }
            let value = valueStart..<index
            guard !value.isEmpty, text[index - 1] != 0x20, skip(text, "\r\n") else { return nil }
            return (name, value)
        }

        /// The bytes of a token that names of headers are made of in practice (RFC 9110, section 5.6.2, has more).
        private static func isTokenByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
