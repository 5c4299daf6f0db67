import NIOCore

/// What a client sent; its payload goes beside it.
enum InboundFrame: Equatable {
    /// A whole message; the payload is well-formed UTF-8.
    case text
    /// A whole message of any bytes.
    case binary
    /// The pong to answer with has the same payload.
    case ping
    case pong
    /// The client closes, with the status it gave; the payload is its reason, well-formed UTF-8. Answer with a close
    /// frame, then close; nothing comes after it.
    case close(UInt16?)
}

/// Takes WebSocket messages of a client out of the bytes of its connection: the server's side of RFC 6455.
///
/// NIO's own decoder with its aggregator takes 8 to 16 times as long, and lets unmasked frames, reserved bits and
/// ill-formed text pass. This one holds nothing but the fragments of a message under way: bytes that are no whole frame
/// yet stay in the caller's buffer, and a payload is unmasked on its way into a scratch that all connections of an
/// event loop share. (Unmasking in place would copy NIO's whole read buffer first.)
struct FrameDecoder {
    /// Whether to go on after a frame.
    enum Flow {
        case goOn
        /// Leave what follows in the buffer for a later call.
        case stop
    }

    /// Why the decoder has returned.
    enum Outcome {
        /// It needs more bytes; keep those that it has left.
        case hungry
        /// The body wanted it. There may be whole frames in the buffer.
        case stopped
        /// A close frame or a violation has ended the conversation; all bytes are dropped, now and on later calls.
        case closed
    }

    private let maximumFrameBytes: Int
    private let maximumMessageBytes: Int
    /// What the fragments that have come are part of; nil between messages.
    private var message: FrameOpcode?
    private var fragments: [UInt8] = []
    private var validator = UTF8Validator()
    private var isClosed = false

    /// Makes a decoder for one connection.
    ///
    /// - Parameters:
    ///   - maximumFrameBytes: The most payload of one frame.
    ///   - maximumMessageBytes: The most payload of a message, over all its fragments.
    init(maximumFrameBytes: Int, maximumMessageBytes: Int) {
        self.maximumFrameBytes = maximumFrameBytes
        self.maximumMessageBytes = maximumMessageBytes
    }

    /// Hands the frames in `bytes` to `body`, in order, and takes them off the buffer.
    ///
    /// - Parameters:
    ///   - bytes: What has come in, beginning with what an earlier call left.
    ///   - scratch: Grows to the longest frame and holds nothing between two calls: one for each event loop is enough.
    ///     `body` must not touch it.
    ///   - body: Takes a frame and its payload, which is only valid within the call.
    /// - Returns: Why it takes no more now.
    /// - Throws: What the client did wrong, or what `body` throws. The frames before it have been handed over; the
    ///   decoder is closed.
    mutating func decode(
        _ bytes: inout ByteBuffer,
        scratch: inout [UInt8],
        _ body: (InboundFrame, Span<UInt8>) throws(ProtocolViolation) -> Flow
    ) throws(ProtocolViolation) -> Outcome {
        do {
            while !isClosed {
                guard let header = try nextHeader(of: bytes) else { return .hungry }
                guard bytes.readableBytes - header.headerBytes >= header.payloadBytes else { return .hungry }
                let flow =
                    if header.opcode.isControl || (header.isFinal && header.opcode != .continuation) {
                        try deliver(header, &bytes, &scratch, body)
                    } else {
                        try collect(header, &bytes, body)
                    }
                if flow == .stop, !isClosed { return .stopped }
            }
        } catch {
            isClosed = true
            dropAll(&bytes)
            throw error
        }
        dropAll(&bytes)
        return .closed
    }

    private mutating func dropAll(_ bytes: inout ByteBuffer) {
        fragments = []
        bytes.moveReaderIndex(to: bytes.writerIndex)
    }

    @inline(__always)
    private func nextHeader(of bytes: ByteBuffer) throws(ProtocolViolation) -> FrameHeader? {
        let header = try FrameHeader.parse(bytes.readableBytesUInt8Span, maximumPayloadBytes: maximumFrameBytes)
        guard let header, !header.opcode.isControl else { return header }
        if header.opcode == .continuation {
            guard message != nil else { throw .protocolError("there is no message to continue") }
        } else {
            guard message == nil else { throw .protocolError("a message began before the last one ended") }
        }
        guard header.payloadBytes <= maximumMessageBytes - fragments.count else {
            throw .tooLong("a message may have \(maximumMessageBytes) bytes at most")
        }
        return header
    }

    /// Hands over a frame that is a whole message or a control frame.
    private mutating func deliver(
        _ header: FrameHeader,
        _ bytes: inout ByteBuffer,
        _ scratch: inout [UInt8],
        _ body: (InboundFrame, Span<UInt8>) throws(ProtocolViolation) -> Flow
    ) throws(ProtocolViolation) -> Flow {
        let length = header.payloadBytes
        if scratch.count < length {
            scratch.append(contentsOf: repeatElement(0, count: max(length, 4096) - scratch.count))
        }
        let isASCII = Self.unmask(header, bytes, into: &scratch, at: 0)
        bytes.moveReaderIndex(forwardBy: header.headerBytes + length)
        let payload = scratch.span.extracting(first: length)
        switch header.opcode {
        case .text:
            guard isASCII || Self.isUTF8(payload) else { throw .invalidText("a text message must be UTF-8") }
            return try body(.text, payload)
        case .ping: return try body(.ping, payload)
        case .pong: return try body(.pong, payload)
        case .close:
            isClosed = true
            guard length > 0 else { return try body(.close(nil), payload) }
            let code = try Self.closeCode(payload)
            return try body(.close(code), payload.extracting(droppingFirst: 2))
        case .binary, .continuation: return try body(.binary, payload)
        }
    }

    /// Adds a fragment to the message under way, and hands it over when that was the last.
    private mutating func collect(
        _ header: FrameHeader,
        _ bytes: inout ByteBuffer,
        _ body: (InboundFrame, Span<UInt8>) throws(ProtocolViolation) -> Flow
    ) throws(ProtocolViolation) -> Flow {
        let start = fragments.count
        fragments.append(contentsOf: repeatElement(0, count: header.payloadBytes))
        let isASCII = Self.unmask(header, bytes, into: &fragments, at: start)
        bytes.moveReaderIndex(forwardBy: header.headerBytes + header.payloadBytes)
        let opcode = message ?? header.opcode
        if opcode == .text, !(isASCII && validator.isComplete) {
            // A copy, because the compiler takes the span for a use of all of self.
            var checked = validator
            guard checked.consume(fragments.span.extracting(start..<fragments.count)) else {
                throw .invalidText("a text message must be UTF-8")
            }
            validator = checked
        }
        guard header.isFinal else {
            message = opcode
            return .goOn
        }
        guard validator.isComplete else { throw .invalidText("a text message must not end within a character") }
        message = nil
        let whole = exchange(&fragments, with: [])
        return try body(opcode == .text ? .text : .binary, whole.span)
    }

    /// Writes a payload, unmasked, to `target` from `start` on.
    ///
    /// - Returns: Whether it is ASCII.
    private static func unmask(
        _ header: FrameHeader,
        _ bytes: ByteBuffer,
        into target: inout [UInt8],
        at start: Int
    ) -> Bool {
        let end = header.headerBytes + header.payloadBytes
        let source = bytes.readableBytesUInt8Span.extracting(header.headerBytes..<end)
        return target.overwrite(at: start, with: source, xor: header.key)
    }

    private static func isUTF8(_ text: Span<UInt8>) -> Bool {
        var validator = UTF8Validator()
        return validator.consume(text) && validator.isComplete
    }

    /// Reads the status of a close frame that carries something.
    private static func closeCode(_ payload: Span<UInt8>) throws(ProtocolViolation) -> UInt16 {
        guard payload.count >= 2 else { throw .protocolError("a close frame carries nothing or a status of two bytes") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        switch code {
        // The others below 3000 are reserved, or only stand for what no frame said; 1012 to 1014 are IANA's.
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw .protocolError("a close frame must not carry that status")
        }
        guard isUTF8(payload.extracting(droppingFirst: 2)) else {
            throw .invalidText("the reason in a close frame must be UTF-8")
        }
        return code
    }
}
