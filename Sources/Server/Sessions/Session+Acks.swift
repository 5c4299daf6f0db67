import Broker
import NIOCore

// The ack of a message: the reply that there is one of for every message sent, written without a buffer of its own.

extension Session {
    /// Appends `ack` as a text frame.
    func write(_ ack: ReplyQueue.Ack, to bytes: inout ByteBuffer) {
        let isOnline = services.presence.isReceiving(ack.sent.conversation)
        // Taken out of the dispatcher, so that each append is to an array that nobody else may be looking at.
        var json = exchange(&dispatcher.ackScratch, with: [])
        json.removeAll(keepingCapacity: true)
        json.append(contentsOf: Self.openingBytes)
        if case .conversation = kind {
            json.append(contentsOf: peerName)
            json.append(contentsOf: Self.arrowBytes)
            json.append(contentsOf: myName)
        } else {
            json.append(contentsOf: Self.serverBytes)
        }
        json.append(contentsOf: isOnline ? Self.onlineBytes : Self.offlineBytes)
        json.appendDecimal(ack.offset)
        if let id = ack.sent.id {
            json.append(contentsOf: Self.idBytes)
            JSONEscape.append(id.span, to: &json)
            json.append(UInt8(ascii: "\""))
        }
        if ack.isDuplicate { json.append(contentsOf: Self.duplicateBytes) }
        json.append(contentsOf: Self.replyBytes)
        if let ref = ack.sent.ref {
            json.append(contentsOf: Self.refBytes)
            json.append(contentsOf: ref)
        }
        json.append(UInt8(ascii: "}"))
        bytes.writeFrame(.text, payload: json.span)
        dispatcher.ackScratch = json
    }

    /// How long the frame of an ack is, more or less.
    static let usualAckBytes = 128

    private static let openingBytes = Array(#"{"from":""#.utf8)
    private static let arrowBytes = Array("->".utf8)
    private static let serverBytes = Array("Server".utf8)
    private static let onlineBytes = sentBytes(.sentOnline, "消息发送成功,对方在线")
    private static let offlineBytes = sentBytes(.sentOffline, "消息发送成功,对方离线")
    private static let idBytes = Array(#","id":""#.utf8)
    private static let duplicateBytes = Array(#","duplicate":true"#.utf8)
    private static let replyBytes = Array(#","reply":1"#.utf8)
    private static let refBytes = Array(#","ref":"#.utf8)

    private static func sentBytes(_ code: Outbound.Code, _ text: String) -> [UInt8] {
        Array(#"","code":\#(code.rawValue),"content":"\#(text)","offset":"#.utf8)
    }
}
