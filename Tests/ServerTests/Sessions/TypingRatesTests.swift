import Broker
import NIOCore
import Testing

@testable import Server

/// It is passed on once a second that somebody types, and the last word is never lost.
@Suite struct TypingRatesTests {
    private let conversation = Command.Conversation(me: AccountID(high: 0, low: 1), peer: AccountID(high: 0, low: 2))
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test func `the first word goes at once, the same again is dropped`() {
        let rates = TypingRates()
        #expect(rates.say(true, in: conversation, now: start) == .pass)
        #expect(rates.say(true, in: conversation, now: start + .milliseconds(999)) == .drop)
        #expect(rates.say(true, in: conversation, now: start + .milliseconds(1000)) == .pass)
    }

    @Test func `a different word within the second is passed on when it is over`() {
        let rates = TypingRates()
        #expect(rates.say(true, in: conversation, now: start) == .pass)
        #expect(rates.say(false, in: conversation, now: start + .milliseconds(300)) == .hold(.milliseconds(700)))
        #expect(rates.due(conversation, now: start + .seconds(1)) == false)
        // That began a second of its own.
        #expect(rates.say(true, in: conversation, now: start + .milliseconds(1500)) == .hold(.milliseconds(500)))
    }

    @Test func `who changes their mind back is not passed on at all`() {
        let rates = TypingRates()
        #expect(rates.say(true, in: conversation, now: start) == .pass)
        #expect(rates.say(false, in: conversation, now: start + .milliseconds(100)) == .hold(.milliseconds(900)))
        #expect(rates.say(true, in: conversation, now: start + .milliseconds(200)) == .drop)
        #expect(rates.due(conversation, now: start + .seconds(1)) == nil)
    }

    @Test func `one timer serves however many words were held`() {
        let rates = TypingRates()
        #expect(rates.say(true, in: conversation, now: start) == .pass)
        #expect(rates.say(false, in: conversation, now: start + .milliseconds(100)) == .hold(.milliseconds(900)))
        #expect(rates.say(true, in: conversation, now: start + .milliseconds(200)) == .drop)
        #expect(rates.say(false, in: conversation, now: start + .milliseconds(300)) == .drop)
        #expect(rates.due(conversation, now: start + .seconds(1)) == false)
        #expect(rates.due(conversation, now: start + .seconds(2)) == nil)
    }

    @Test func `conversations and sides of them don't slow each other down`() {
        let rates = TypingRates()
        #expect(rates.say(true, in: conversation, now: start) == .pass)
        #expect(rates.say(true, in: conversation.mirrored, now: start) == .pass)
        let room = Command.Conversation(me: conversation.me, room: RoomID(high: 3, low: 3))
        #expect(rates.say(true, in: room, now: start) == .pass)
    }

    @Test func `who has been silent is forgotten before the memory grows`() {
        let rates = TypingRates()
        for index in 0..<20_000 {
            let peer = AccountID(high: 9, low: UInt64(index))
            let now = start + .seconds(Int64(index / 5_000) * 2)
            #expect(rates.say(true, in: Command.Conversation(me: conversation.me, peer: peer), now: now) == .pass)
        }
        #expect(rates.count <= 10_000)
    }
}
