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
        let moment = min(milliseconds, maximumMilliseconds)
        let (days, time) = moment.quotientAndRemainder(dividingBy: 86_400_000)
        let date = CivilDate(daysSince1970: Int(days))
        let seconds = Int(time / 1000)
        var text = InlineArray<24, UInt8>(repeating: UInt8(ascii: "0"))
        func put(_ value: Int, _ start: Int, _ digits: Int) {
            var rest = value
            for index in stride(from: start + digits - 1, through: start, by: -1) {
                text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
        put(date.year, 0, 4)
        text[4] = UInt8(ascii: "-")
        put(date.month, 5, 2)
        text[7] = UInt8(ascii: "-")
        put(date.day, 8, 2)
        text[10] = UInt8(ascii: "T")
        put(seconds / 3600, 11, 2)
        text[13] = UInt8(ascii: ":")
        put(seconds / 60 % 60, 14, 2)
        text[16] = UInt8(ascii: ":")
        put(seconds % 60, 17, 2)
        text[19] = UInt8(ascii: ".")
        put(Int(time % 1000), 20, 3)
        text[23] = UInt8(ascii: "Z")
        return text
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
