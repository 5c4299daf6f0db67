import Testing

@testable import Server

struct ProgressLineTests {
    @Test(arguments: [
        (0.0, "0:00"), (0.2, "0:01"), (7, "0:07"), (59.5, "1:00"), (754, "12:34"), (3600, "1:00:00"), (3723, "1:02:03"),
        (1e12, "99:59:59"),
    ])
    func `time is shown as on a clock`(seconds: Double, text: String) {
        #expect(ProgressLine.clock(seconds) == text)
    }

    @Test func `a line tells part, speed and time left`() {
        var line = ProgressLine(label: "users", unit: "events", done: 250_000, total: 1_000_000, seconds: 0.5)
        #expect(line.text == "users [######------------------]  25%  500,000 events/s  0:02 left")
        line.done = 1_000_000
        line.seconds = 2
        #expect(line.text == "users [########################] 100%  500,000 events/s")
    }

    @Test func `nothing to do is all done, and more than all isn't shown`() {
        #expect(ProgressLine(label: "", unit: "events").text == "[########################] 100%")
        let line = ProgressLine(label: "", unit: "events", done: 3, total: 2, seconds: 1)
        #expect(line.text == "[########################] 100%  3 events/s")
    }
}
