import Foundation
import Testing

@testable import Broker

@Suite struct TimestampTests {
    @Test(arguments: [
        (UInt64(0), "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"), (1_795_232_760_123, "2026-11-21T03:46:00.123Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (4_107_456_000_000, "2100-02-28T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
        (UInt64.max, "9999-12-31T23:59:59.999Z"),
    ])
    func `milliseconds become text`(milliseconds: UInt64, text: String) {
        #expect(Timestamp.text(milliseconds: milliseconds) == text)
        var bytes: [UInt8] = [7]
        Timestamp.append(milliseconds: milliseconds, to: &bytes)
        #expect(bytes == [7] + Array(text.utf8))
    }

    @Test
    func `one time after the other is shown as each is by itself`() {
        let second: UInt64 = 1000
        let steps: [UInt64] = [0, 1, 9, 99, 999, second, 59 * second, 3600 * second, 86_399 * second, 86_400 * second]
        var shown = TimestampText()
        let starts: [UInt64] = [0, 951_782_399_999, 1_795_232_760_123, 253_402_300_799_999, .max - 200_000_000]
        for start in starts {
            for one in steps {
                for other in steps {
                    let times: [UInt64] = [start + one, start + one + other, start + one, start]
                    for time in times {
                        shown.show(time)
                        let text = (0..<24).map { shown.ascii[$0] }
                        #expect(String(decoding: text, as: UTF8.self) == Timestamp.text(milliseconds: time))
                    }
                }
            }
        }
    }

    @Test
    func `every day from 1970 to 2400 is followed by the next, and read back`() {
        var expected = CivilDate(year: 1970, month: 1, day: 1)
        for days in 0..<157_054 {
            let date = CivilDate(daysSince1970: days)
            if date != expected || date.daysSince1970 != days || !date.isValid {
                Issue.record("day \(days) is \(date), not \(expected)")
                return
            }
            expected.day += 1
            if !expected.isValid { expected = CivilDate(year: expected.year, month: expected.month + 1, day: 1) }
            if !expected.isValid { expected = CivilDate(year: expected.year + 1, month: 1, day: 1) }
        }
        #expect(expected == CivilDate(year: 2400, month: 1, day: 1))
    }

    @Test
    func `Foundation writes the same`() {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for index in 0..<2000 {
            let seconds = UInt64(index) * 126_701_123
            let date = Date(timeIntervalSince1970: Double(seconds))
            #expect(Timestamp.text(milliseconds: seconds * 1000) == date.formatted(style))
        }
    }

    @Test(arguments: [
        ("2026-11-21T03:46:00.123Z", UInt64(1_795_232_760_123)), ("2026-11-21t03:46:00.123z", 1_795_232_760_123),
        ("2026-11-21 03:46:00.123Z", 1_795_232_760_123), ("2026-11-21T03:46:00Z", 1_795_232_760_000),
        ("2026-11-21T03:46:00.1Z", 1_795_232_760_100), ("2026-11-21T03:46:00.12Z", 1_795_232_760_120),
        ("2026-11-21T03:46:00.1239999999999999999999Z", 1_795_232_760_123),
        ("2026-11-21T11:46:00.123+08:00", 1_795_232_760_123), ("2026-11-20T21:16:00.123-06:30", 1_795_232_760_123),
        ("2026-11-21T03:46:00.123-00:00", 1_795_232_760_123), ("2026-11-21", 1_795_219_200_000),
        ("1970-01-01", 0), ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T23:00:00-01:00", 0),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("2000-02-29", 951_782_400_000),
    ])
    func `a time is read, whatever its offset and its fraction`(text: String, milliseconds: UInt64) {
        #expect(Timestamp.parse(text) == milliseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11", "2026-11-21T", "2026-11-21T03:46Z", "2026-11-21T03:46:00", "2026-11-21T03:46:00.Z",
        "2026-11-21T03:46:00,1Z", "2026-11-21T03:46:00+0800", "2026-11-21T03:46:00+08", "2026-11-21T03:46:00+24:00",
        "2026-11-21T03:46:00+08:60", "2026-11-21T24:00:00Z", "2026-11-21T03:60:00Z", "2026-11-21T03:46:60Z",
        "2026-11-21T23:59:61Z", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32", "2026-04-31", "2026-02-29",
        "2100-02-29", "1969-12-31", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00+00:01", "0000-01-01", "0000-02-29",
        "26-11-21", "2026-11-21Z", " 2026-11-21", "2026-11-21 ", "2026-1-2", "+2026-11-21", "２０２６-11-21", "20261121",
    ])
    func `what is no time, or before 1970, is refused`(text: String) {
        #expect(Timestamp.parse(text) == nil)
    }

    @Test
    func `what was written is read back`() {
        var milliseconds: UInt64 = 1
        while milliseconds <= Timestamp.maximumMilliseconds {
            #expect(Timestamp.parse(Timestamp.text(milliseconds: milliseconds)) == milliseconds)
            milliseconds = milliseconds * 3 + 1
        }
    }
}
