import Broker
import NIOCore

// What happens to messages, as it is pushed to who follows a conversation.

extension Outbound {
    /// Everything up to `reference` has been read by the message's sender, who here is the reader.
    ///
    /// `offset` is how far; the event's own place is `at`.
    static func writeRead(_ event: Message, upTo reference: Offset, to json: inout ByteBuffer) {
        begin(event, .readUpTo, to: &json)
        json.writeDecimal(reference)
        json.writeStaticString(",\"event\":\"read\",\"offset\":")
        json.writeDecimal(reference)
        json.writeStaticString(",\"at\":")
        json.writeDecimal(event.offset)
        end(event, to: &json)
    }

    /// The message at `target` says `content` now.
    static func writeEdited(_ event: Message, target: Offset, content: Span<UInt8>, to json: inout ByteBuffer) {
        begin(event, .edited, to: &json)
        json.writeJSONString(content)
        json.writeStaticString(",\"event\":\"edited\"")
        json.writeRedacted(event.isRedacted)
        writeTarget(target, of: event, to: &json)
    }

    /// The message at `target` is no more.
    static func writeDeleted(_ event: Message, target: Offset, to json: inout ByteBuffer) {
        begin(event, .deleted, to: &json)
        json.writeStaticString("\"\",\"event\":\"deleted\"")
        writeTarget(target, of: event, to: &json)
    }

    /// The content of the message at `target` is erased, by whoever runs the server.
    ///
    /// Here the event's sender is the message's author.
    static func writeRedaction(_ event: Message, target: Offset, to json: inout ByteBuffer) {
        json.writeStaticString("{\"from\":\"Server\",\"code\":")
        json.writeDecimal(Code.deleted.rawValue)
        json.writeStaticString(",\"content\":\"\",\"event\":\"deleted\",\"redacted\":true")
        writeTarget(target, of: event, to: &json)
    }

    /// Somebody types, or has stopped.
    ///
    /// It has no place in the log.
    static func typing(_ isTyping: Bool, by name: [UInt8], room: RoomID?, recipient: [UInt8]) -> ByteBuffer {
        var json = ByteBuffer()
        json.writeStaticString("{\"from\":\"")
        json.writeBytes(name)
        json.writeStaticString("\",\"code\":")
        json.writeDecimal(Code.typing.rawValue)
        json.writeString(",\"content\":\(isTyping),\"event\":\"typing\",\"sender\":\"")
        json.writeBytes(name)
        json.writeStaticString("\"")
        json.writePlace(room: room, recipient: recipient)
        json.writeStaticString("}")
        return json
    }

    private static func writeTarget(_ target: Offset, of event: Message, to json: inout ByteBuffer) {
        json.writeStaticString(",\"target\":")
        json.writeDecimal(target)
        json.writeStaticString(",\"offset\":")
        json.writeDecimal(event.offset)
        end(event, to: &json)
    }

    private static func begin(_ event: Message, _ code: Code, to json: inout ByteBuffer) {
        json.writeStaticString("{\"from\":\"")
        json.writeBytes(event.sender)
        json.writeStaticString("\",\"code\":")
        json.writeDecimal(code.rawValue)
        json.writeStaticString(",\"content\":")
    }

    private static func end(_ event: Message, to json: inout ByteBuffer) {
        json.writeStaticString(",\"sender\":\"")
        json.writeBytes(event.sender)
        json.writeStaticString("\",\"CreatedAt\":\"")
        json.writeTimestamp(milliseconds: event.milliseconds)
        json.writeStaticString("\"")
        json.writePlace(room: event.room, recipient: event.recipient)
        json.writeStaticString("}")
    }
}
