import Broker
import NIOCore
import Testing

@testable import Server

/// A user may send ten seconds' worth at once, and so many a second after that.
@Suite struct MessageRatesTests {
    private let ann = AccountID(high: 0, low: 1)
    private let bob = AccountID(high: 0, low: 2)

    @Test func `the burst is ten seconds' worth, to the message`() {
        let rates = MessageRates(perSecond: 3)
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        for _ in 0..<30 { #expect(rates.allows(ann, now: now)) }
        #expect(!rates.allows(ann, now: now))
        #expect(rates.allows(bob, now: now))
    }

    @Test func `a second gives a second's worth back, and no more than the burst is ever saved`() {
        let rates = MessageRates(perSecond: 2)
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        while rates.allows(ann, now: now) {}
        now = now + .seconds(1)
        #expect(rates.allows(ann, now: now))
        #expect(rates.allows(ann, now: now))
        #expect(!rates.allows(ann, now: now))
        now = now + .hours(1)
        var allowed = 0
        while rates.allows(ann, now: now) { allowed += 1 }
        #expect(allowed == 20)
    }

    @Test func `zero switches the limit off`() {
        let rates = MessageRates(perSecond: 0)
        for _ in 0..<1000 { #expect(rates.allows(ann, now: .uptimeNanoseconds(1))) }
    }
}
