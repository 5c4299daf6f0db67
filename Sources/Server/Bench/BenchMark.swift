import NIOCore

/// Which message it is, written at the beginning of its content so that every receiver can check it: `@0:17@xxxx…`.
struct BenchMark: Equatable, Sendable {
    /// The sender, from 0.
    var sender: Int
    /// The message of that sender, from 0.
    var number: Int

    private static let sign = UInt8(ascii: "@")
    /// Room for the greatest mark.
    static let leastContentBytes = 24

    init(sender: Int, number: Int) {
        self.sender = sender
        self.number = number
    }

    /// The content of the message, in ASCII that JSON needs no escape for.
    func content(bytes count: Int) -> [UInt8] {
        var content = Array("@\(sender):\(number)@".utf8)
        content.append(contentsOf: repeatElement(UInt8(ascii: "x"), count: max(0, count - content.count)))
        return content
    }

    /// Finds the mark in `count` bytes from `index` on; nil if there is none.
    init?(in buffer: ByteBuffer, at index: Int, count: Int) {
        guard let view = buffer.viewBytes(at: index, length: count), let start = view.firstIndex(of: Self.sign)
        else { return nil }
        self.init(view[view.index(after: start)...])
    }

    /// Reads the mark that `content` begins with; nil if it begins with none.
    init?(content: String) {
        let bytes = Array(content.utf8)
        guard bytes.first == Self.sign else { return nil }
        self.init(bytes.dropFirst())
    }

    /// Reads what follows the first sign.
    private init?(_ bytes: some Sequence<UInt8>) {
        var numbers = (0, 0)
        var isSecond = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = Int(byte - UInt8(ascii: "0"))
                if isSecond { numbers.1 = numbers.1 &* 10 &+ digit } else { numbers.0 = numbers.0 &* 10 &+ digit }
            case UInt8(ascii: ":") where !isSecond: isSecond = true
            case Self.sign where isSecond:
                self.init(sender: numbers.0, number: numbers.1)
                return
            default: return nil
            }
        }
        return nil
    }
}
