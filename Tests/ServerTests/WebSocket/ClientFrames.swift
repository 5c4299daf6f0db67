import NIOCore

@testable import Server

/// Frames as a client sends them, well-formed and not.
enum ClientFrames {
    /// A masked frame that begins with `first`: FIN, the reserved bits and the opcode.
    ///
    /// After the second byte its length takes `width` more, 0, 2 or 8; by default as few as it can.
    static func frame(_ first: UInt8, _ payload: [UInt8], width: Int? = nil) -> [UInt8] {
        header(first, payloadBytes: payload.count, width: width) + masked(payload)
    }

    static func text(_ text: String) -> [UInt8] { frame(0x81, Array(text.utf8)) }

    static func close(_ code: UInt16, _ reason: [UInt8] = []) -> [UInt8] {
        frame(0x88, [UInt8(code >> 8), UInt8(code & 0xff)] + reason)
    }

    /// The head alone, with the masking key.
    static func header(_ first: UInt8, payloadBytes: Int, width: Int? = nil) -> [UInt8] {
        let width = width ?? (payloadBytes < 126 ? 0 : payloadBytes < 65_536 ? 2 : 8)
        let length = (0..<width).reversed().map { UInt8(truncatingIfNeeded: payloadBytes >> (8 * $0)) }
        return [first, 0x80 | (width == 0 ? UInt8(payloadBytes) : width == 2 ? 126 : 127)] + length + key
    }

    private static let key: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]

    private static func masked(_ payload: [UInt8]) -> [UInt8] {
        payload.enumerated().map { $1 ^ key[$0 % 4] }
    }
}

/// What came out of a decoder.
enum DecodedEvent: Equatable {
    case frame(InboundFrame, [UInt8])
    case violation(UInt16)

    static func text(_ text: String) -> DecodedEvent { .frame(.text, Array(text.utf8)) }
}

extension FrameDecoder {
    /// Feeds the decoder piece by piece, as a connection does, and collects what comes out.
    mutating func decodeAll(_ pieces: [[UInt8]]) -> [DecodedEvent] {
        var buffer = ByteBuffer()
        var scratch: [UInt8] = []
        var events: [DecodedEvent] = []
        for piece in pieces {
            buffer.writeBytes(piece)
            do {
                _ = try decode(&buffer, scratch: &scratch) { frame, payload in
                    events.append(.frame(frame, [UInt8](copying: payload)))
                    return .goOn
                }
            } catch {
                events.append(.violation(error.closeCode))
            }
        }
        return events
    }
}

/// Random numbers that a seed determines.
///
/// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
