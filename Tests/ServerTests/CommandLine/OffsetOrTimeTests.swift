import ArgumentParser
import Broker
import Testing

@testable import Server

struct OffsetOrTimeTests {
    @Test(arguments: [
        ("0", OffsetOrTime.offset(0)),
        ("42", .offset(42)),
        ("0042", .offset(42)),
        ("9007199254740991", .offset(9_007_199_254_740_991)),
        ("2026-01-01", .time(1_767_225_600_000)),
        ("2026-01-01T00:00:01.5Z", .time(1_767_225_601_500)),
        ("2026-01-01T01:00:00+01:00", .time(1_767_225_600_000)),
    ])
    func `an offset or a time is read`(text: String, place: OffsetOrTime) throws {
        #expect(try OffsetOrTime.parse(text) == place)
    }

    @Test(arguments: [
        "", "-1", "+1", "1.5", "9007199254740992", "99999999999999999999", "٣", "yesterday", "2026-02-30", "12:00",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: ValidationError.self) { try OffsetOrTime.parse(text) }
    }

    @Test func `a time means the last event at or before it`() async throws {
        let log = try await SampleFolder().log()
        let start = SampleFolder.start
        #expect(try OffsetOrTime.time(start - 1).last(in: log) == 0)
        #expect(try OffsetOrTime.time(start).last(in: log) == 1)
        #expect(try OffsetOrTime.time(start + 1999).last(in: log) == 2)
        // The room and its members came in one commit.
        #expect(try OffsetOrTime.time(start + 5000).last(in: log) == 8)
        #expect(try OffsetOrTime.time(.max).last(in: log) == SampleFolder.head)
    }

    @Test func `an offset past the head is refused`() async throws {
        let log = try await SampleFolder().log()
        #expect(try OffsetOrTime.offset(15).last(in: log) == 15)
        let failure = #expect(throws: CommandFailure.self) { try OffsetOrTime.offset(16).last(in: log) }
        #expect(failure?.status == .usage)
        #expect(failure?.message == "there is no offset 16 in this log: its last is 15")
    }
}
