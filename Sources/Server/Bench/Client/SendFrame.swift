import NIOCore

/// The frames of one sender's messages, which differ in the number alone: made once, and nine bytes of it changed for
/// each message, so that sending costs the client little.
struct SendFrame: Sendable {
    private var bytes: [UInt8]
    /// Where the digits are, in the frame and in what is masked.
    private let digits: (frame: Int, payload: Int)
    // One key for all frames of a socket: a new one for each, which RFC 6455 asks for, protects proxies from a page's
    // script, and there is neither here.
    private let key: UInt32

    /// - Parameters:
    ///   - room: Where to; nil on a conversation socket, which has its own.
    ///   - bytes: Of the content.
    init(sender: Int, room: String?, bytes count: Int, key: UInt32 = .random(in: .min ... .max)) {
        let place = room.map { "\"room\":\"\($0)\"," } ?? ""
        let head = Array("{\"type\":1,\(place)\"content\":\"".utf8)
        let content = BenchMark(sender: sender, number: 0).content(bytes: count)
        let payload = head + content + Array("\"}".utf8)
        bytes = BenchFrame.bytes(.text, payload, key: key)
        self.key = key
        let inPayload = head.count + "@\(sender):".utf8.count
        digits = (bytes.count - payload.count + inPayload, inPayload)
    }

    /// Appends the frame of message `number`.
    mutating func append(_ number: Int, to output: inout ByteBuffer) {
        var rest = number
        for index in stride(from: BenchMark.numberDigits - 1, through: 0, by: -1) {
            let digit = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            bytes[digits.frame + index] = digit ^ BenchFrame.mask(key, at: digits.payload + index)
            rest /= 10
        }
        output.writeBytes(bytes)
    }
}
