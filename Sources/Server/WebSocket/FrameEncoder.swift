import NIOCore

/// A frame whose payload is being written; see ``NIOCore/ByteBuffer/beginFrame(expectingPayloadBytes:)``.
struct OpenFrame {
    fileprivate let headerIndex: Int
    fileprivate let reservedBytes: Int
}

/// Frames from the server (RFC 6455, section 5.2): never masked, so their bytes are the same for every subscriber.
extension ByteBuffer {
    /// Appends the head of a frame whose payload comes next.
    ///
    /// A long message may go in fragments: first one of its own opcode, then `.continuation`, all but the last with
    /// `isFinal` false. Only control frames may go between them.
    mutating func writeFrameHeader(_ opcode: FrameOpcode, isFinal: Bool = true, payloadBytes: Int) {
        writeInteger(opcode.rawValue | (isFinal ? 0x80 : 0))
        switch payloadBytes {
        case ..<126: writeInteger(UInt8(payloadBytes))
        case ..<65_536: writeMultipleIntegers(UInt8(126), UInt16(payloadBytes))
        default: writeMultipleIntegers(UInt8(127), UInt64(payloadBytes))
        }
    }

    /// Appends a whole frame.
    mutating func writeFrame(_ opcode: FrameOpcode, isFinal: Bool = true, payload: Span<UInt8>) {
        writeFrameHeader(opcode, isFinal: isFinal, payloadBytes: payload.count)
        writeBytes(payload)
    }

    /// Leaves room for the head of a frame whose payload, of a length yet unknown, is appended next.
    ///
    /// - Parameter expectingPayloadBytes: A guess; a wrong one costs a move of the payload at the end, unless it is too
    ///   great and the buffer is empty.
    /// - Returns: What ``finishFrame(_:_:isFinal:)`` wants.
    mutating func beginFrame(expectingPayloadBytes: Int = 126) -> OpenFrame {
        let frame = OpenFrame(
            headerIndex: writerIndex,
            reservedBytes: Self.frameHeaderBytes(payloadBytes: expectingPayloadBytes)
        )
        writeRepeatingByte(0, count: frame.reservedBytes)
        return frame
    }

    /// Writes the head of `frame`, whose payload is all that was appended since it began.
    mutating func finishFrame(_ frame: OpenFrame, _ opcode: FrameOpcode = .text, isFinal: Bool = true) {
        let payloadIndex = frame.headerIndex + frame.reservedBytes
        let payloadBytes = writerIndex - payloadIndex
        let headerBytes = Self.frameHeaderBytes(payloadBytes: payloadBytes)
        var headerIndex = frame.headerIndex
        if headerBytes < frame.reservedBytes, headerIndex == readerIndex {
            // Nothing stands before it: the buffer begins a little later.
            headerIndex = payloadIndex - headerBytes
            moveReaderIndex(to: headerIndex)
        } else if headerBytes != frame.reservedBytes {
            movePayload(at: payloadIndex, to: headerIndex + headerBytes, length: payloadBytes)
        }
        let end = writerIndex
        moveWriterIndex(to: headerIndex)
        writeFrameHeader(opcode, isFinal: isFinal, payloadBytes: payloadBytes)
        moveWriterIndex(to: end)
    }

    /// Moves the last `length` bytes.
    private mutating func movePayload(at index: Int, to target: Int, length: Int) {
        do {
            // Not by a slice of this buffer: a second owner would make the next write copy all of the batch.
            try copyBytes(at: index, to: target, length: length)
        } catch {
            preconditionFailure("the frame's payload isn't where it was written: \(error)")
        }
        moveWriterIndex(to: target + length)
    }

    /// How long the head of a frame from the server is.
    static func frameHeaderBytes(payloadBytes: Int) -> Int {
        payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10
    }

    /// Appends a close frame.
    ///
    /// - Parameters:
    ///   - code: Nil for a frame that carries nothing, as the answer to one that carried nothing.
    ///   - reason: What doesn't fit (123 bytes) is cut off between two characters.
    mutating func writeCloseFrame(code: UInt16?, reason: String = "") {
        guard let code else { return writeFrameHeader(.close, payloadBytes: 0) }
        var fitting = reason[...]
        while fitting.utf8.count > FrameHeader.maximumControlPayloadBytes - 2 { fitting.removeLast() }
        writeFrameHeader(.close, payloadBytes: 2 + fitting.utf8.count)
        writeInteger(code)
        writeSubstring(fitting)
    }
}
