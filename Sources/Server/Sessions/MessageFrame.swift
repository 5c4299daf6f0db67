import Broker
import NIOCore

/// The frame of one event: of a message, or of what happened to one.
enum MessageFrame {
    /// Appends the frame to `bytes`.
    ///
    /// - Parameters:
    ///   - header: The event's; a redaction's as ``SessionServices/shownRedaction(_:)`` has it.
    ///   - isRedacted: Whether the payload is gone from the log.
    ///   - showsID: Whether the client's own message id is shown, as only its sender may see it.
    ///   - scratch: Used for the JSON; its content is lost.
    static func append(
        _ header: EventHeader,
        at offset: Offset,
        _ payload: Span<UInt8>,
        isRedacted: Bool,
        shape: MessageShape,
        showsID: Bool,
        _ directory: AccountDirectory,
        _ scratch: inout ByteBuffer,
        to bytes: inout ByteBuffer
    ) {
        let message = Outbound.Message(
            offset: offset,
            milliseconds: header.milliseconds,
            sender: directory.escapedName(of: header.actor),
            recipient: header.concernsRoom ? [] : directory.escapedName(of: header.subject),
            room: header.concernsRoom ? header.subject : nil,
            isRedacted: isRedacted
        )
        scratch.clear()
        switch header.type {
        case .messagesRead: Outbound.writeRead(message, upTo: header.reference, to: &scratch)
        case .messageDeleted: Outbound.writeDeleted(message, target: header.reference, to: &scratch)
        case .payloadRedacted: Outbound.writeRedaction(message, target: header.reference, to: &scratch)
        case .messageEdited:
            let content = MessagePayload.content(of: payload)
            Outbound.writeEdited(message, target: header.reference, content: content, to: &scratch)
        default: write(message, payload, shape: shape, showsID: showsID, to: &scratch)
        }
        bytes.writeTextFrame(scratch)
    }

    private static func write(
        _ message: Outbound.Message,
        _ payload: Span<UInt8>,
        shape: MessageShape,
        showsID: Bool,
        to json: inout ByteBuffer
    ) {
        let content = MessagePayload.content(of: payload)
        switch shape {
        case .conversation: Outbound.writeConversationMessage(message, content: content, to: &json)
        case .room: Outbound.writeRoomMessage(message, content: content, to: &json)
        case .session:
            let id = showsID ? MessagePayload.id(of: payload) : payload.extracting(0..<0)
            Outbound.writeSessionMessage(message, content: content, id: id, to: &json)
        }
    }
}
