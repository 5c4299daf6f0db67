/// Points in time as text: RFC 3339 in UTC with milliseconds, `2026-11-21T03:46:00.123Z`.
///
/// Pure arithmetic on the proleptic Gregorian calendar, because a formatter costs some microseconds and one of these
/// stands in every delivered message. Source of the calendar's arithmetic: Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms".
package enum Timestamp {
    /// How many bytes ``append(milliseconds:to:)`` appends.
    package static let byteCount = 24
    /// 9999-12-31T23:59:59.999Z, the last one that four digits of year can say.
    package static let maximumMilliseconds: UInt64 = 253_402_300_799_999

    /// Appends 24 bytes of ASCII.
    ///
    /// - Parameters:
    ///   - milliseconds: Since 1970 in UTC; what is past the year 9999 becomes its last millisecond.
    ///   - bytes: Where they go.
    package static func append(milliseconds: UInt64, to bytes: inout [UInt8]) {
        let text = ascii(milliseconds: milliseconds)
        for index in text.indices { bytes.append(text[index]) }
    }

    /// The 24 characters as a string.
    package static func text(milliseconds: UInt64) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        append(milliseconds: milliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The 24 bytes of ASCII.
    package static func ascii(milliseconds: UInt64) -> InlineArray<24, UInt8> {
        var text = TimestampText()
        text.show(milliseconds)
        return text.ascii
    }
}

/// The text of one time after the other, of which mostly little changes: messages are shown in the order of their
/// times.
package struct TimestampText {
    /// The 24 bytes of the time that is shown.
    package private(set) var ascii: InlineArray<24, UInt8>
    private var milliseconds: UInt64 = 0
    private var second: UInt64 = 0
    private var day: UInt64 = 0

    /// Shows the beginning of 1970.
    package init() {
        let (zero, one, seven, nine) = (UInt8(ascii: "0"), UInt8(ascii: "1"), UInt8(ascii: "7"), UInt8(ascii: "9"))
        let (dash, colon) = (UInt8(ascii: "-"), UInt8(ascii: ":"))
        ascii = [
            one, nine, seven, zero, dash, zero, one, dash, zero, one, UInt8(ascii: "T"),
            zero, zero, colon, zero, zero, colon, zero, zero, UInt8(ascii: "."), zero, zero, zero, UInt8(ascii: "Z"),
        ]
    }

    /// Shows `time`.
    ///
    /// - Parameter time: Milliseconds since 1970 in UTC; what is past the year 9999 becomes its last millisecond.
    package mutating func show(_ time: UInt64) {
        let moment = min(time, Timestamp.maximumMilliseconds)
        guard moment != milliseconds else { return }
        milliseconds = moment
        let (second, thousandths) = moment.quotientAndRemainder(dividingBy: 1000)
        put(thousandths, 20, 3)
        guard second != self.second else { return }
        self.second = second
        let (day, secondOfDay) = second.quotientAndRemainder(dividingBy: 86_400)
        let (minuteOfDay, seconds) = secondOfDay.quotientAndRemainder(dividingBy: 60)
        let (hours, minutes) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
        put(hours, 11, 2)
        put(minutes, 14, 2)
        put(seconds, 17, 2)
        guard day != self.day else { return }
        self.day = day
        let date = CivilDate(daysSince1970: Int(day))
        put(UInt64(date.year), 0, 4)
        put(UInt64(date.month), 5, 2)
        put(UInt64(date.day), 8, 2)
    }

    /// Writes the last `digits` digits of `value`.
    private mutating func put(_ value: UInt64, _ start: Int, _ digits: Int) {
        var rest = value
        for index in stride(from: start + digits - 1, through: start, by: -1) {
            let (tenth, digit) = rest.quotientAndRemainder(dividingBy: 10)
            ascii[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = tenth
        }
    }
}

/// A day of the Gregorian calendar, before its invention too.
struct CivilDate: Equatable {
    var year: Int
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that is so many days after 1970-01-01, 0 or more.
    init(daysSince1970: Int) {
        // Years here begin in March, so that a leap day is the last of its year; an era is 400 of them, 146,097 days.
        let shifted = daysSince1970 + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// How many days after 1970-01-01 this is, for years from 0 on.
    var daysSince1970: Int {
        // A January or February of the year 0 belongs to the era before; 400 years more keep the divisions positive.
        let shiftedYear = year + 400 - (month <= 2 ? 1 : 0)
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era - 1) * 146_097 + dayOfEra - 719_468
    }

    /// Whether the calendar has this day.
    var isValid: Bool {
        (1...12).contains(month) && day >= 1 && day <= daysInMonth
    }

    private var daysInMonth: Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
