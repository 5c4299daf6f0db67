import NIOCore

/// Just enough of RFC 6455 for a client that trusts its server.
enum BenchFrame {
    enum Opcode: UInt8 {
        case text = 1
        case close = 8
        case ping = 9
        case pong = 10
    }

    struct Header: Equatable {
        var opcode: Opcode
        var headerBytes: Int
        var payloadBytes: Int
    }

    /// The header of the frame at the reader index; nil if it isn't all there yet.
    ///
    /// - Throws: ``BenchFailure`` for a frame that the benchmark's server has no reason to send.
    static func header(in buffer: ByteBuffer) throws -> Header? {
        let start = buffer.readerIndex
        guard let first = buffer.getInteger(at: start, as: UInt8.self),
            let second = buffer.getInteger(at: start + 1, as: UInt8.self)
        else { return nil }
        guard first & 0xF0 == 0x80, let opcode = Opcode(rawValue: first & 0x0F), second & 0x80 == 0 else {
            throw BenchFailure("the server sent a frame that begins with \(first) \(second)")
        }
        switch second {
        case 126:
            guard let count = buffer.getInteger(at: start + 2, as: UInt16.self) else { return nil }
            return Header(opcode: opcode, headerBytes: 4, payloadBytes: Int(count))
        case 127:
            guard let count = buffer.getInteger(at: start + 2, as: UInt64.self) else { return nil }
            guard count <= 1 << 30 else { throw BenchFailure("the server sent a frame of \(count) bytes") }
            return Header(opcode: opcode, headerBytes: 10, payloadBytes: Int(count))
        default: return Header(opcode: opcode, headerBytes: 2, payloadBytes: Int(second))
        }
    }

    /// Appends a client's frame: whole, and masked with a new key.
    static func append(_ opcode: Opcode, _ payload: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeInteger(0x80 | opcode.rawValue)
        switch payload.count {
        case 0...125: buffer.writeInteger(0x80 | UInt8(payload.count))
        case 126...0xFFFF:
            buffer.writeInteger(0x80 | 126 as UInt8)
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(0x80 | 127 as UInt8)
            buffer.writeInteger(UInt64(payload.count))
        }
        let key = UInt32.random(in: .min ... .max)
        buffer.writeInteger(key)
        var masked = payload
        for index in masked.indices {
            masked[index] ^= UInt8(truncatingIfNeeded: key >> (24 - 8 * UInt32(index & 3)))
        }
        buffer.writeBytes(masked)
    }
}
