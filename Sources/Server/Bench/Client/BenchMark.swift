/// Which message it is, written at the beginning of its content so that every receiver can check it:
/// `@0:000000017@xxxx…`.
struct BenchMark: Equatable, Sendable {
    /// The sender, from 0.
    var sender: Int
    /// The message of that sender, from 0.
    var number: Int

    private static let sign = UInt8(ascii: "@")
    /// Digits of a number, with zeros before it: the frames of all messages of a sender differ in these alone.
    static let numberDigits = 9
    /// Room for the greatest mark.
    static let leastContentBytes = 24

    init(sender: Int, number: Int) {
        self.sender = sender
        self.number = number
    }

    /// The content of the message, in ASCII that JSON needs no escape for.
    func content(bytes count: Int) -> [UInt8] {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, Self.numberDigits - digits.count))
        var content = Array("@\(sender):\(zeros)\(digits)@".utf8)
        content.append(contentsOf: repeatElement(UInt8(ascii: "x"), count: max(0, count - content.count)))
        return content
    }

    /// Finds the first mark of `bytes`; nil if there is none.
    init?(in bytes: borrowing Span<UInt8>) {
        var place = 0
        self.init(in: bytes, near: &place)
    }

    /// Finds a mark in `bytes`, at `place` if there is one, else the first of all; nil if there is none.
    ///
    /// - Parameter place: Where it begins, afterwards. Frames of one kind have it in one place mostly, so that nobody
    ///   need search for it again.
    @inline(__always)
    init?(in bytes: borrowing Span<UInt8>, near place: inout Int) {
        if place < bytes.count, bytes[place] == Self.sign {
            var end = place
            if let mark = Self.read(bytes, &end) {
                self = mark
                return
            }
        }
        guard let mark = Self.next(in: bytes, from: 0, stride: 0) else { return nil }
        place = mark.place
        self = mark.mark
    }

    /// The first mark from `start` on.
    ///
    /// - Parameter stride: Where it is looked for first, from `start`.
    /// - Returns: It, where it begins and where it ends.
    static func next(
        in bytes: borrowing Span<UInt8>,
        from start: Int,
        stride: Int
    ) -> (mark: BenchMark, place: Int, end: Int)? {
        var place = start + stride
        // A guess that is no mark is searched for from the start.
        if place >= bytes.count || bytes[place] != sign { place = start }
        while place < bytes.count {
            if bytes[place] == sign {
                var end = place
                guard let mark = read(bytes, &end) else { return nil }
                return (mark, place, end)
            }
            place &+= 1
        }
        return nil
    }

    /// Reads the mark that begins at `place`; nil if it is none.
    @inline(__always)
    private static func read(_ bytes: borrowing Span<UInt8>, _ place: inout Int) -> BenchMark? {
        var sender = 0
        var number = 0
        var isSecond = false
        place &+= 1
        while place < bytes.count {
            let byte = bytes[place]
            place &+= 1
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = Int(byte &- UInt8(ascii: "0"))
                if isSecond { number = number &* 10 &+ digit } else { sender = sender &* 10 &+ digit }
            case UInt8(ascii: ":") where !isSecond: isSecond = true
            case sign where isSecond: return BenchMark(sender: sender, number: number)
            default: return nil
            }
        }
        return nil
    }
}
