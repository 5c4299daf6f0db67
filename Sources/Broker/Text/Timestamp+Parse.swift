extension Timestamp {
    /// The milliseconds since 1970 of an RFC 3339 date and time, or of a bare date (its first millisecond in UTC).
    ///
    /// Any offset from UTC and any number of digits after the second are taken; digits past the third are cut off. `T`
    /// and `Z` may be small, and a space may stand for `T`. A leap second counts as the second after it.
    ///
    /// - Returns: Nil for anything else, for a day that the calendar doesn't have, and for what lies before 1970.
    package static func parse(_ text: String) -> UInt64? {
        let bytes = Array(text.utf8)
        return parse(bytes.span)
    }

    private static func parse(_ text: Span<UInt8>) -> UInt64? {
        var cursor = Cursor(text: text)
        guard let year = cursor.number(digits: 4), cursor.take("-") != nil,
            let month = cursor.number(digits: 2), cursor.take("-") != nil,
            let day = cursor.number(digits: 2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard date.isValid else { return nil }
        let dayStart = date.daysSince1970 * 86_400_000
        if cursor.isAtEnd { return UInt64(exactly: dayStart) }

        guard cursor.take("T", "t", " ") != nil,
            let hour = cursor.number(digits: 2), hour < 24, cursor.take(":") != nil,
            let minute = cursor.number(digits: 2), minute < 60, cursor.take(":") != nil,
            let second = cursor.number(digits: 2), second < 60 || (second == 60 && minute == 59)
        else { return nil }
        var fraction = 0
        if cursor.take(".") != nil {
            guard let milliseconds = cursor.thousandths() else { return nil }
            fraction = milliseconds
        }
        guard let offset = cursor.offsetMinutes(), cursor.isAtEnd else { return nil }
        let time = ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction
        return UInt64(exactly: dayStart + time)
    }

    /// Where the parser is in the text.
    private struct Cursor: ~Escapable {
        private let text: Span<UInt8>
        private var position = 0

        @_lifetime(copy text)
        init(text: Span<UInt8>) {
            self.text = text
        }

        var isAtEnd: Bool { position == text.count }

        /// Takes one of `choices` if it comes next.
        mutating func take(_ choices: Unicode.Scalar...) -> UInt8? {
            guard position < text.count else { return nil }
            let byte = text[position]
            guard choices.contains(where: { $0.value == UInt32(byte) }) else { return nil }
            position += 1
            return byte
        }

        private mutating func digit() -> Int? {
            guard position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) else {
                return nil
            }
            defer { position += 1 }
            return Int(text[position] - UInt8(ascii: "0"))
        }

        mutating func number(digits: Int) -> Int? {
            var value = 0
            for _ in 0..<digits {
                guard let digit = digit() else { return nil }
                value = value * 10 + digit
            }
            return value
        }

        /// The first three of at least one digit.
        mutating func thousandths() -> Int? {
            guard var value = digit() else { return nil }
            var count = 1
            while let next = digit() {
                if count < 3 { value = value * 10 + next }
                count += 1
            }
            return count == 1 ? value * 100 : count == 2 ? value * 10 : value
        }

        /// How many minutes local time is ahead of UTC.
        mutating func offsetMinutes() -> Int? {
            guard let sign = take("Z", "z", "+", "-") else { return nil }
            guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return 0 }
            guard let hours = number(digits: 2), hours < 24, take(":") != nil,
                let minutes = number(digits: 2), minutes < 60
            else { return nil }
            return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
        }
    }
}
