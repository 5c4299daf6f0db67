import NIOCore

/// Just enough of RFC 6455 for a client that trusts its server.
enum BenchFrame {
    enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case close = 8
        case ping = 9
        case pong = 10
    }

    struct Header: Equatable {
        var opcode: Opcode
        /// Whether the message ends with this frame.
        var isLast: Bool
        var headerBytes: Int
        var payloadBytes: Int

        var frameBytes: Int { headerBytes + payloadBytes }
    }

    /// The header of the frame that begins at `start`; nil if it isn't all there yet.
    ///
    /// - Throws: ``BenchFailure`` for a frame that the benchmark's server has no reason to send.
    @inline(__always)
    static func header(in bytes: borrowing Span<UInt8>, at start: Int = 0) throws -> Header? {
        let left = bytes.count &- start
        guard left >= 2 else { return nil }
        let (first, second) = (bytes[start], bytes[start &+ 1])
        guard first & 0x70 == 0, let opcode = Opcode(rawValue: first & 0x0F), second & 0x80 == 0 else {
            throw BenchFailure("the server sent a frame that begins with \(first) \(second)")
        }
        let isLast = first & 0x80 != 0
        switch second {
        case 126:
            guard left >= 4 else { return nil }
            let count = Int(bytes[start &+ 2]) << 8 | Int(bytes[start &+ 3])
            return Header(opcode: opcode, isLast: isLast, headerBytes: 4, payloadBytes: count)
        case 127:
            guard left >= 10 else { return nil }
            var count: UInt64 = 0
            for index in 2..<10 { count = count << 8 | UInt64(bytes[start &+ index]) }
            guard count <= 1 << 30 else { throw BenchFailure("the server sent a frame of \(count) bytes") }
            return Header(opcode: opcode, isLast: isLast, headerBytes: 10, payloadBytes: Int(count))
        default:
            return Header(opcode: opcode, isLast: isLast, headerBytes: 2, payloadBytes: Int(second))
        }
    }

    /// Appends a client's frame: whole, and masked with a new key.
    static func append(_ opcode: Opcode, _ payload: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeBytes(bytes(opcode, payload, key: .random(in: .min ... .max)))
    }

    /// A client's frame: whole, and masked with `key`, whose first byte is the highest.
    static func bytes(_ opcode: Opcode, _ payload: [UInt8], key: UInt32) -> [UInt8] {
        var bytes: [UInt8] = [0x80 | opcode.rawValue]
        bytes.reserveCapacity(payload.count + 14)
        switch payload.count {
        case 0...125: bytes.append(0x80 | UInt8(payload.count))
        case 126...0xFFFF:
            bytes.append(0x80 | 126)
            for shift in [8, 0] { bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        default:
            bytes.append(0x80 | 127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift))
            }
        }
        for index in 0..<4 { bytes.append(mask(key, at: index)) }
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ mask(key, at: index)) }
        return bytes
    }

    /// What the byte of the payload at `index` is masked with.
    static func mask(_ key: UInt32, at index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: key >> (24 - 8 * UInt32(index & 3)))
    }
}
