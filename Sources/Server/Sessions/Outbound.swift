import Broker
import NIOCore

/// The JSON that goes out, written piece by piece into a buffer: no frame of the protocol needs an object tree.
///
/// `docs/protocol.md` is the reference for every shape.
enum Outbound {
    /// The codes of the envelope.
    enum Code: Int {
        case success = 50000
        case end = 50001
        case sentOnline = 50002
        case sentOffline = 50003
        case refused = 50004
        case readUpTo = 50005
        case typing = 50006
        case presence = 50007
        case edited = 50008
        case deleted = 50009
        case caughtUp = 50010
        case badRequest = 50020
        case forbidden = 50021
        case notFound = 50022
        case tooLarge = 50023
        case notStored = 50030
    }

    /// What makes a message's frame.
    struct Message {
        var offset: Offset
        var milliseconds: UInt64
        /// Escaped account names.
        var sender: [UInt8]
        var recipient: [UInt8]
        var room: RoomID?
        /// Whether its content is erased.
        var isRedacted = false
    }

    /// `{"from":"Server","code":N,"content":"text"` and the end, `extra` before it.
    static func serverReply(
        _ code: Code,
        _ content: String,
        from: [UInt8]? = nil,
        extra: (inout ByteBuffer) -> Void = { _ in }
    )
        -> ByteBuffer
    {
        var json = ByteBuffer()
        json.writeStaticString("{\"from\":\"")
        if let from { json.writeBytes(from) } else { json.writeStaticString("Server") }
        json.writeStaticString("\",\"code\":")
        json.writeDecimal(code.rawValue)
        json.writeStaticString(",\"content\":")
        json.writeJSONString(content)
        extra(&json)
        json.writeStaticString("}")
        return json
    }

    /// A message as the peer's conversation socket gets it; `from` reads `<receiver>-><sender>`.
    static func writeConversationMessage(_ message: Message, content: Span<UInt8>, to json: inout ByteBuffer) {
        json.writeStaticString("{\"from\":\"")
        json.writeBytes(message.recipient)
        json.writeStaticString("->")
        json.writeBytes(message.sender)
        writeRest(message, content: content, id: nil, to: &json)
    }

    /// A message as session sockets get it.
    ///
    /// - Parameter id: The client's own message id, for the sender's sockets.
    static func writeSessionMessage(
        _ message: Message,
        content: Span<UInt8>,
        id: Span<UInt8>?,
        to json: inout ByteBuffer
    ) {
        json.writeStaticString("{\"from\":\"")
        json.writeBytes(message.sender)
        writeRest(message, content: content, id: id, to: &json)
    }

    /// A message as room sockets get it.
    static func writeRoomMessage(_ message: Message, content: Span<UInt8>, to json: inout ByteBuffer) {
        json.writeStaticString("{\"Sender\":\"")
        json.writeBytes(message.sender)
        json.writeStaticString("\",\"context\":")
        json.writeJSONString(content)
        json.writeStaticString(",\"roomId\":\"")
        json.writeString(message.room?.uuidText ?? "")
        json.writeStaticString("\",\"offset\":")
        json.writeDecimal(message.offset)
        json.writeStaticString(",\"CreatedAt\":\"")
        json.writeTimestamp(milliseconds: message.milliseconds)
        json.writeStaticString("\"")
        json.writeRedacted(message.isRedacted)
        json.writeStaticString("}")
    }

    private static func writeRest(_ message: Message, content: Span<UInt8>, id: Span<UInt8>?, to json: inout ByteBuffer)
    {
        json.writeStaticString("\",\"code\":50000,\"content\":")
        json.writeJSONString(content)
        json.writeStaticString(",\"event\":\"message\",\"offset\":")
        json.writeDecimal(message.offset)
        json.writeStaticString(",\"sender\":\"")
        json.writeBytes(message.sender)
        json.writeStaticString("\",\"CreatedAt\":\"")
        json.writeTimestamp(milliseconds: message.milliseconds)
        json.writeStaticString("\"")
        json.writePlace(room: message.room, recipient: message.recipient)
        if let id, !id.isEmpty {
            json.writeStaticString(",\"id\":")
            json.writeJSONString(id)
        }
        json.writeRedacted(message.isRedacted)
        json.writeStaticString("}")
    }
}

extension ByteBuffer {
    /// Appends `,"redacted":true` if something is.
    mutating func writeRedacted(_ isRedacted: Bool) {
        if isRedacted { writeStaticString(",\"redacted\":true") }
    }
}
