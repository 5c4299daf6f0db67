internal import LMDB

/// The payloads of messages, read and written without objects: they are the hot path.
///
/// The bytes are those that the generated code of `Payloads.proto` writes and reads; the tests hold one against the
/// other.
package enum MessagePayload {
    private static let contentTag: UInt8 = 1 << 3 | 2
    private static let idTag: UInt8 = 2 << 3 | 2

    /// The payload of a MessageSent.
    ///
    /// - Parameters:
    ///   - content: UTF-8; may be empty.
    ///   - id: The client's own message id, UTF-8; empty for none.
    package static func encode(content: [UInt8], id: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content.count + id.count + 12)
        append(content, tag: contentTag, to: &bytes)
        append(id, tag: idTag, to: &bytes)
        return bytes
    }

    /// The content of a MessageSent or MessageEdited.
    @_lifetime(copy payload)
    package static func content(of payload: Span<UInt8>) -> Span<UInt8> { field(contentTag, of: payload) }

    /// The client's own message id of a MessageSent; empty for none.
    @_lifetime(copy payload)
    package static func id(of payload: Span<UInt8>) -> Span<UInt8> { field(idTag, of: payload) }

    /// Whether `payload` has a content and an id in UTF-8, each at most once, and nothing else: then it can be decoded.
    ///
    /// Says no of some that can be, for example of what was imported.
    static func isPlain(_ payload: Span<UInt8>) -> Bool {
        var position = 0
        return skipText(contentTag, in: payload, at: &position) && skipText(idTag, in: payload, at: &position)
            && position == payload.count
    }

    /// - Returns: Whether the field, if it is there, is text in UTF-8.
    private static func skipText(_ tag: UInt8, in payload: Span<UInt8>, at position: inout Int) -> Bool {
        guard position < payload.count, payload[position] == tag else { return true }
        position += 1
        guard let length = varint(in: payload, at: &position), length <= payload.count - position else { return false }
        let text = payload.extracting(position..<position + Int(length))
        position += Int(length)
        return (try? UTF8Span(validating: text)) != nil
    }

    private static func append(_ value: [UInt8], tag: UInt8, to bytes: inout [UInt8]) {
        // proto3 leaves out what has its default.
        guard !value.isEmpty else { return }
        bytes.append(tag)
        var length = value.count
        while length >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(length))
        bytes.append(contentsOf: value)
    }

    /// The last value of a length-delimited field with a one-byte tag, as protobuf has it; empty when it isn't there or
    /// the bytes are no message.
    @_lifetime(copy payload)
    private static func field(_ tag: UInt8, of payload: Span<UInt8>) -> Span<UInt8> {
        var found = 0..<0
        var position = 0
        while position < payload.count {
            guard let key = varint(in: payload, at: &position), key > 7, key <= UInt32.max else {
                return payload.extracting(0..<0)
            }
            let length: UInt64
            switch key & 7 {
            case 0:
                guard varint(in: payload, at: &position) != nil else { return payload.extracting(0..<0) }
                length = 0
            case 1: length = 8
            case 2:
                guard let prefix = varint(in: payload, at: &position) else { return payload.extracting(0..<0) }
                length = prefix
            case 5: length = 4
            default: return payload.extracting(0..<0)
            }
            guard length <= payload.count - position else { return payload.extracting(0..<0) }
            if key == tag { found = position..<position + Int(length) }
            position += Int(length)
        }
        return payload.extracting(found)
    }

    private static func varint(in bytes: Span<UInt8>, at position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}
