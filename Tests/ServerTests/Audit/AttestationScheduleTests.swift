import Broker
import Testing

@testable import Server

struct AttestationScheduleTests {
    private func due(_ every: UInt64, _ batches: [(ClosedRange<Offset>, Bool)]) -> [Bool] {
        var schedule = AttestationSchedule(everyEvents: every)
        return batches.map { schedule.isDue(after: $0.0, areOthers: $0.1) }
    }

    @Test func `attestations are due when the log passes a multiple, once however many it passes`() {
        #expect(
            due(100, [(1...99, true), (100...100, true), (101...199, true), (200...450, true), (451...499, true)])
                == [false, true, false, true, false]
        )
    }

    @Test func `attestations alone never call for more, but leave owed what they pass`() {
        #expect(due(100, [(97...104, false), (105...199, false), (200...208, false)]) == [false, false, false])
        #expect(due(100, [(97...104, false), (105...105, true), (106...106, true)]) == [false, true, false])
        #expect(due(1, [(1...1, true), (2...5, false), (6...6, true), (7...10, false)]) == [true, false, true, false])
    }
}
