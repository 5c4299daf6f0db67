import Foundation

@testable import Server

/// A client's frame as Foundation's JSONDecoder reads it: slow, but written by others, to hold our scanner against.
struct FoundationFrame {
    private let limits = ClientFrame.Limits()
    private var frame = ClientFrame()

    /// Reads a frame; nil if it must be refused.
    ///
    /// Foundation forgets in which order equal keys stood and how a number was written, so `bytes` must have neither
    /// equal keys nor numbers with a sign, a point or an exponent in fields that want an integer.
    static func read(_ bytes: [UInt8]) -> ClientFrame? {
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(bytes)), case .object(let fields) = value
        else {
            return nil
        }
        var reader = FoundationFrame()
        for (key, value) in fields {
            guard reader.take(value, for: lowercased(key)) else { return nil }
        }
        return reader.frame
    }

    /// The text of a JSON string.
    static func string(_ json: [UInt8]) -> [UInt8]? {
        guard case .string(let text) = try? JSONDecoder().decode(Value.self, from: Data(json)) else { return nil }
        return text
    }

    /// Only ASCII, unlike `String.lowercased()`.
    private static func lowercased(_ key: String) -> String {
        String(decoding: key.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private enum Value: Decodable {
        case null
        case bool(Bool)
        case string([UInt8])
        case number(Decimal)
        case array([Value])
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(String.self) {
                self = .string(Array(value.utf8))
            } else if let value = try? container.decode([Value].self) {
                self = .array(value)
            } else if let value = try? container.decode([String: Value].self) {
                self = .object(value)
            } else {
                self = .number(try container.decode(Decimal.self))
            }
        }
    }

    /// - Returns: False if the field can't hold the value.
    private mutating func take(_ value: Value, for key: String) -> Bool {
        if case .null = value {
            if key == "content" { frame.content = .null }
            if key == "msg" { frame.msg = .null }
            return true
        }
        switch key {
        case "type": return set(\.type, integer(value, 0...JSONCursor.maximumInteger))
        case "before": return set(\.before, integer(value, 1...JSONCursor.maximumInteger))
        case "after": return set(\.after, integer(value, 0...JSONCursor.maximumInteger))
        case "upto": return set(\.upto, integer(value, 1...JSONCursor.maximumInteger))
        case "target": return set(\.target, integer(value, 1...JSONCursor.maximumInteger))
        case "limit": return set(\.limit, integer(value, 1...limits.rows))
        case "to": return set(\.to, text(value, 0...limits.nameBytes))
        case "room": return set(\.room, text(value, 0...limits.nameBytes))
        case "roomid": return set(\.roomId, text(value, 0...limits.nameBytes))
        case "log": return set(\.log, text(value, 0...limits.nameBytes))
        case "id": return set(\.id, text(value, 1...limits.idBytes))
        case "watch": return set(\.watch, bool(value))
        case "mark": return set(\.mark, bool(value))
        case "content": frame.content = content(value)
        case "msg": frame.msg = content(value)
        case "ref":
            switch value {
            case .string(let text): return set(\.ref, text.count <= limits.refBytes ? text : nil)
            case .number(let number): return set(\.ref, Array("\(number)".utf8))
            default: return false
            }
        default: break
        }
        return true
    }

    private mutating func set<T>(_ field: WritableKeyPath<ClientFrame, T?>, _ value: T?) -> Bool {
        frame[keyPath: field] = value
        return value != nil
    }

    private func integer(_ value: Value, _ range: ClosedRange<Int>) -> Int? {
        guard case .number(let number) = value, number >= Decimal(range.lowerBound), number <= Decimal(range.upperBound)
        else {
            return nil
        }
        return Int("\(number)")
    }

    private func text(_ value: Value, _ bytes: ClosedRange<Int>) -> [UInt8]? {
        guard case .string(let text) = value, bytes.contains(text.count) else { return nil }
        return text
    }

    private func bool(_ value: Value) -> Bool? {
        if case .bool(let value) = value { value } else { nil }
    }

    private func content(_ value: Value) -> ClientFrame.Content {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .string(let text): .text(text)
        case .number, .array, .object: .other
        }
    }
}
