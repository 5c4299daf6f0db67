import NIOCore

// Whole frames around JSON that is already there.

extension ByteBuffer {
    /// Appends `json` as a text frame.
    mutating func writeTextFrame(_ json: ByteBuffer) {
        writeFrameHeader(.text, payloadBytes: json.readableBytes)
        writeImmutableBuffer(json)
    }

    /// Appends the first fragment of a text message.
    mutating func writeFirstFragment(_ json: ByteBuffer) {
        writeFrameHeader(.text, isFinal: false, payloadBytes: json.readableBytes)
        writeImmutableBuffer(json)
    }

    /// Appends a further fragment.
    mutating func writeContinuation(_ json: ByteBuffer, isFinal: Bool) {
        writeFrameHeader(.continuation, isFinal: isFinal, payloadBytes: json.readableBytes)
        writeImmutableBuffer(json)
    }

    /// These bytes as a text frame.
    var textFrame: ByteBuffer {
        var frame = ByteBuffer()
        frame.writeTextFrame(self)
        return frame
    }

    static func closeFrame(code: UInt16?, reason: String = "") -> ByteBuffer {
        var frame = ByteBuffer()
        frame.writeCloseFrame(code: code, reason: reason)
        return frame
    }

    static func pingFrame() -> ByteBuffer {
        var frame = ByteBuffer()
        frame.writeFrameHeader(.ping, payloadBytes: 0)
        return frame
    }
}
