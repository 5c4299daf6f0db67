@testable import Server

/// Makes the JSON of client frames, most of them right, from a seed.
struct FrameGenerator {
    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private static let names = [
        "type", "content", "to", "room", "id", "ref", "before", "after", "limit", "upto", "target", "log", "watch",
        "mark",
        "Msg", "RoomId",
    ]

    /// A frame, in which no field comes twice.
    mutating func frame() -> [UInt8] {
        let names = Self.names.shuffled(using: &random).prefix(Int.random(in: 0...6, using: &random))
        var members = names.map { name in "\(key(name))\(space()):\(space())\(value(for: name))" }
        if chance(30) {
            members.append("\"\(pick(["x", "", "typ", "contents", "é", "\u{212a}", "\\u212a"]))\":\(any(depth: 3))")
        }
        return Array(
            "\(space()){\(space())\(members.joined(separator: "\(space()),\(space())"))\(space())}\(space())".utf8
        )
    }

    /// A few bytes of `frame` deleted, doubled or replaced.
    mutating func mutated(_ frame: [UInt8]) -> [UInt8] {
        var bytes = frame
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, start + Int.random(in: 1...4, using: &random))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes.removeSubrange(start..<end)
            case 1: bytes.insert(contentsOf: bytes[start..<end], at: start)
            default: bytes[start] = pick(Array("{}[]\",:\\ \n\t\u{b}\0019eE.-+tfnurl/d8".utf8))
            }
        }
        return bytes
    }

    private mutating func key(_ name: String) -> String {
        if chance(5), let first = name.lowercased().utf8.first {
            return "\"\\u00\(String(first, radix: 16))\(name.dropFirst())\""
        }
        let spelled = name.map { chance(20) ? $0.uppercased() : chance(20) ? $0.lowercased() : String($0) }
        return "\"\(spelled.joined())\""
    }

    private mutating func value(for name: String) -> String {
        if chance(4) { return any(depth: 3) }
        switch name {
        case "type", "before", "after", "limit", "upto", "target": return integer()
        case "watch", "mark": return pick(["true", "false", "null"])
        case "ref" where chance(50): return integer()
        default: return string()
        }
    }

    private mutating func integer() -> String {
        pick([
            "1", "7", "42", "987", "5000", "9999", "10000", "0", "10001", "9007199254740991", "9007199254740992",
            "12345678901234567890",
        ])
    }

    private mutating func string() -> String {
        let pieces = [
            "a", "hello world, hello", "é", "你好", "🦙", "\\n", "\\\"", "\\\\", "\\/", "\\b\\f\\r\\t", "\\u0000",
            "\\u00e9",
            "\\u4F60", "\\ud83e\\udd99", "\u{7f}", "\u{2028}", "{\\\"type\\\":1}", "0123456789abcdef",
        ]
        let text = (0..<Int.random(in: 0...8, using: &random)).map { _ in pick(pieces) }
        return "\"\(text.joined())\(chance(2) ? "\\ud800" : "")\""
    }

    private mutating func any(depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return "null"
        case 1: return pick(["true", "false"])
        case 2: return integer()
        case 3: return pick(["-0", "-1", "1.5", "-1.25e3", "1E5", "2e-2"])
        case 4, 5: return string()
        case 6:
            let items = (0..<Int.random(in: 0...3, using: &random)).map { _ in any(depth: depth - 1) }
            return "[\(space())\(items.joined(separator: ","))\(space())]"
        default:
            // Keys of its own, as Foundation would drop one of two equal ones.
            let items = (0..<Int.random(in: 0...3, using: &random)).map { "\"k\($0)\":\(any(depth: depth - 1))" }
            return "{\(items.joined(separator: "\(space()),"))}"
        }
    }

    private mutating func space() -> String { chance(85) ? "" : pick([" ", "\n", "\t", "\r\n", "  "]) }
    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }
}
