import NIOCore
import Testing

@testable import Server

/// The clients that send and receive, and the books that are kept of them.
struct MessageClientTests {
    @Test func `every order that keeps each sender's is taken, and told from the others`() throws {
        // Two senders with two messages each: 0a 0b 1a 1b in the six orders that keep a before b.
        var orders: Set<UInt64> = []
        for senders in [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0]] {
            var tally = MessageTally(senders: 2, each: 2)
            var next = [0, 0]
            for sender in senders {
                #expect(!tally.isComplete)
                try tally.receive(BenchMark(sender: sender, number: next[sender]))
                next[sender] += 1
            }
            #expect(tally.isComplete)
            orders.insert(tally.order)
        }
        #expect(orders.count == 6)
    }

    @Test(arguments: [
        ([(4, 0), (4, 0)], "message 0 of sender 4 came again or late"),
        ([(4, 1)], "message 1 of sender 4 came while 0 was due"),
        ([(5, 0)], "message 0 of sender 5 was never sent"),
        ([(3, 0)], "message 0 of sender 3 was never sent"),
        ([(4, 2)], "message 2 of sender 4 was never sent"),
    ])
    func `a message lost, repeated or invented is found`(marks: [(Int, Int)], reason: String) {
        var tally = MessageTally(senders: 1, each: 2, first: 4)
        let failure = #expect(throws: BenchFailure.self) {
            for (sender, number) in marks { try tally.receive(BenchMark(sender: sender, number: number)) }
        }
        #expect(failure?.description == reason)
    }

    private func sender(_ messages: Int, inFlight: Int, echoes: Bool = false) -> MessageSender {
        MessageSender(
            SendFrame(sender: 0, room: "r", bytes: 24),
            messages: messages,
            inFlight: inFlight,
            echoes: echoes ? MessageTally(senders: 1, each: messages) : nil,
            progress: MessageProgress()
        )
    }

    private static func ack(_ offset: Int) -> [UInt8] {
        Array(#"{"from":"Server","code":50003,"content":"","offset":\#(offset),"reply":1}"#.utf8)
    }

    @Test(arguments: [1, 5, 64, 600, 1000])
    func `a sender keeps a bounded number of messages on their way`(inFlight: Int) throws {
        var sender = sender(600, inFlight: inFlight)
        var output = ByteBuffer()
        sender.wake(&output)
        var sample = ByteBuffer()
        var frame = SendFrame(sender: 0, room: "r", bytes: 24)
        frame.append(0, to: &sample)
        #expect(output.readableBytes == min(600, inFlight) * sample.readableBytes)
        for number in 0..<600 {
            #expect(!sender.isDone)
            var more = ByteBuffer()
            try sender.receive(Self.ack(number + 9).span, &more)
            #expect((more.readableBytes > 0) == (number < 600 - inFlight))
        }
        #expect(sender.isDone)
        #expect(sender.acknowledged == Array(9..<609))
        #expect(sender.latencies.count == 600)
    }

    @Test func `a sender in a room is done when it has its own messages too`() throws {
        var sender = sender(1, inFlight: 1, echoes: true)
        var output = ByteBuffer()
        sender.wake(&output)
        try sender.receive(Self.ack(1).span, &output)
        #expect(!sender.isDone)
        try sender.receive(Array(#"{"Sender":"me","context":"@0:000000000@","roomId":"r"}"#.utf8).span, &output)
        #expect(sender.isDone)
    }

    @Test(arguments: [
        [#"{"code":50030,"content":"full"}"#], [#"{"code":50002}"#], ["no JSON"],
        // Acknowledged twice, and with an offset that was given before.
        [#"{"code":50002,"offset":1}"#, #"{"code":50002,"offset":1}"#],
        [#"{"code":50002,"offset":2}"#, #"{"code":50002,"offset":1}"#],
        [#"{"code":50002,"offset":1}"#, #"{"code":50002,"offset":2}"#, #"{"code":50002,"offset":3}"#],
    ])
    func `an answer that is no ack of the message that is due fails`(texts: [String]) {
        var sender = sender(2, inFlight: 2)
        var output = ByteBuffer()
        sender.wake(&output)
        #expect(throws: BenchFailure.self) {
            for text in texts { try sender.receive(Array(text.utf8).span, &output) }
        }
    }

    @Test func `a subscriber that gets something else than a message fails`() throws {
        var subscriber = MessageSubscriber(MessageTally(senders: 1, each: 2), progress: MessageProgress())
        var output = ByteBuffer()
        try subscriber.receive(Array("@0:000000000@".utf8).span, &output)
        #expect(throws: BenchFailure.self) { try subscriber.receive(Array("hello".utf8).span, &output) }
        #expect(throws: BenchFailure.self) { try subscriber.receive(Array("@0:000000000@".utf8).span, &output) }
        #expect(!subscriber.isDone)
    }

    private static func stored(_ marks: [(Int, Int, UInt64)]) throws -> MessageLedger {
        // Two rooms with one sender each, and two messages of each.
        var ledger = MessageLedger(acknowledged: [[1, 3], [2, 5]], sendersOfRoom: 1)
        for (sender, number, offset) in marks { try ledger.take(BenchMark(sender: sender, number: number), at: offset) }
        return ledger
    }

    @Test func `what is acknowledged, stored and received alike is in order`() throws {
        let ledger = try Self.stored([(0, 0, 1), (1, 0, 2), (0, 1, 3), (1, 1, 5)])
        try ledger.check(received: [[ledger.stored[0], ledger.stored[0]], [ledger.stored[1]]])
    }

    @Test(
        arguments: [
            ([(0, 0, 1), (1, 0, 2), (0, 1, 3)], "3 of 4 messages are stored"),
            ([(0, 0, 1), (1, 0, 2), (0, 1, 4)], "message 1 of sender 0 is at offset 4, acknowledged was 3"),
            ([(0, 0, 1), (0, 0, 1)], "message 0 of sender 0 came again or late"),
            ([(2, 0, 1)], "message 0 of sender 2 is stored and was never sent"),
        ] as [([(Int, Int, UInt64)], String)]
    )
    func `an acknowledged message that isn't stored is found`(marks: [(Int, Int, UInt64)], reason: String) {
        let failure = #expect(throws: BenchFailure.self) { try Self.stored(marks).check(received: []) }
        #expect(failure?.description == reason)
    }

    @Test func `somebody who got the messages in another order than stored is found`() throws {
        var ledger = MessageLedger(acknowledged: [[1], [2]], sendersOfRoom: 2)
        try ledger.take(BenchMark(sender: 0, number: 0), at: 1)
        try ledger.take(BenchMark(sender: 1, number: 0), at: 2)
        var other = MessageTally(senders: 2, each: 1)
        try other.receive(BenchMark(sender: 1, number: 0))
        try other.receive(BenchMark(sender: 0, number: 0))
        let failure = #expect(throws: BenchFailure.self) {
            try ledger.check(received: [[ledger.stored[0], other]])
        }
        #expect(failure?.description == "subscriber 1 of room 0 got the messages in another order than stored")
    }
}
