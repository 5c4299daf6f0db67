/// The frames in which the server hands one sender's messages to room sockets, made once: only the digits of the number
/// differ.
struct DeliveryFrame: Sendable {
    private var bytes: [UInt8]
    private let digits: Int

    /// - Parameter bytes: Of the content.
    init(sender: Int, bytes count: Int) {
        let head = Array("{\"Sender\":\"bench-00000000-sender-\(sender)\",\"context\":\"".utf8)
        let content = BenchMark(sender: sender, number: 0).content(bytes: count)
        let payload = head + content + Array("\",\"roomId\":\"00000000-0000-4000-8000-000000000000\"}".utf8)
        switch payload.count {
        case 0...125: bytes = [0x81, UInt8(payload.count)]
        case 126...0xFFFF: bytes = [0x81, 126] + Self.bigEndian(payload.count, bytes: 2)
        default: bytes = [0x81, 127] + Self.bigEndian(payload.count, bytes: 8)
        }
        digits = bytes.count + head.count + "@\(sender):".utf8.count
        bytes += payload
    }

    /// Appends the frame of message `number`.
    mutating func append(_ number: Int, to output: inout [UInt8]) {
        var rest = number
        for index in stride(from: BenchMark.numberDigits - 1, through: 0, by: -1) {
            bytes[digits + index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        output += bytes
    }

    private static func bigEndian(_ number: Int, bytes count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
