import Broker

/// What a benchmark reads of a server's reply, in one pass and without an object: a client must cost less than the
/// server that it measures.
struct BenchReply: Equatable, Sendable {
    var code: Int?
    var offset: Offset?

    private static let codeKey = Array("\"code\":".utf8)
    private static let offsetKey = Array("\"offset\":".utf8)

    /// Reads the fields `code` and `offset`, in that order, as this server writes them.
    init(_ text: borrowing Span<UInt8>) {
        var place = 0
        code = Self.integer(after: Self.codeKey, in: text, from: &place)
        offset = Self.integer(after: Self.offsetKey, in: text, from: &place).map { Offset($0) }
    }

    /// Whether a message was stored.
    var isStored: Bool { code == Outbound.Code.sentOnline.rawValue || code == Outbound.Code.sentOffline.rawValue }

    /// The number behind the first `key` from `place` on, which it then ends at; nil, and `place` as it was, if there
    /// is none.
    static func integer(after key: [UInt8], in text: borrowing Span<UInt8>, from place: inout Int) -> Int? {
        guard var index = end(of: key, in: text, from: place) else { return nil }
        var value = 0
        let first = index
        while index < text.count, 48...57 ~= text[index], index - first < 18 {
            value = value * 10 + Int(text[index] - 48)
            index += 1
        }
        guard index > first else { return nil }
        place = index
        return value
    }

    private static func end(of key: [UInt8], in text: borrowing Span<UInt8>, from start: Int) -> Int? {
        guard let first = key.first else { return nil }
        var index = start
        search: while index + key.count <= text.count {
            defer { index += 1 }
            guard text[index] == first else { continue }
            for offset in key.indices where text[index + offset] != key[offset] { continue search }
            return index + key.count
        }
        return nil
    }
}
