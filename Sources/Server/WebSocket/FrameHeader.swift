/// What a frame is (RFC 6455, section 5.2).
enum FrameOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xa

    /// Control frames may stand between the fragments of a message.
    var isControl: Bool { rawValue & 0x8 != 0 }
}

/// The head of a frame from a client, up to and including its masking key.
struct FrameHeader: Equatable {
    /// The most bytes that a control frame may carry.
    static let maximumControlPayloadBytes = 125

    let opcode: FrameOpcode
    let isFinal: Bool
    let payloadBytes: Int
    /// The masking key, its first byte lowest.
    let key: UInt32
    /// How long the head is: 6, 8 or 14 bytes.
    let headerBytes: Int

    /// Reads the head at the beginning of `bytes`; whatever is wrong is refused as soon as its byte is there.
    ///
    /// - Parameters:
    ///   - bytes: What has come in since the last frame.
    ///   - maximumPayloadBytes: How much the frame may carry; more is refused before any of it has arrived.
    /// - Returns: Nil if more bytes are needed.
    /// - Throws: What is wrong with the head by itself.
    @inline(__always)
    static func parse(
        _ bytes: borrowing Span<UInt8>,
        maximumPayloadBytes: Int
    ) throws(ProtocolViolation) -> FrameHeader? {
        guard bytes.count > 0 else { return nil }
        let first = bytes[0]
        guard first & 0x70 == 0 else { throw .protocolError("reserved bits are set but no extension was agreed on") }
        guard let opcode = FrameOpcode(rawValue: first & 0x0f) else { throw .protocolError("unknown opcode") }
        let isFinal = first & 0x80 != 0
        guard isFinal || !opcode.isControl else { throw .protocolError("a control frame must not be fragmented") }

        guard bytes.count > 1 else { return nil }
        guard bytes[1] & 0x80 != 0 else { throw .protocolError("a client must mask its frames") }
        let short = Int(bytes[1] & 0x7f)
        guard short <= maximumControlPayloadBytes || !opcode.isControl else {
            throw .protocolError("a control frame must not carry more than 125 bytes")
        }
        let lengthBytes = short < 126 ? 0 : short == 126 ? 2 : 8
        guard bytes.count >= 2 &+ lengthBytes else { return nil }
        var length = short
        if lengthBytes > 0 {
            var wide: UInt64 = 0
            for index in 2..<2 &+ lengthBytes { wide = wide << 8 | UInt64(bytes[index]) }
            guard wide >> 63 == 0 else { throw .protocolError("the highest bit of a frame's length must be 0") }
            guard wide > (lengthBytes == 2 ? 125 : 65_535) else {
                throw .protocolError("a frame's length must take as few bytes as it can")
            }
            length = Int(wide)
        }
        guard length <= maximumPayloadBytes else {
            throw .tooLong("a frame may carry \(maximumPayloadBytes) bytes at most")
        }

        let keyStart = 2 &+ lengthBytes
        guard bytes.count >= keyStart &+ 4 else { return nil }
        let key =
            UInt32(bytes[keyStart]) | UInt32(bytes[keyStart &+ 1]) << 8 | UInt32(bytes[keyStart &+ 2]) << 16
            | UInt32(bytes[keyStart &+ 3]) << 24
        return FrameHeader(
            opcode: opcode,
            isFinal: isFinal,
            payloadBytes: length,
            key: key,
            headerBytes: keyStart &+ 4
        )
    }
}
