import Broker
import Foundation
import NIOCore

/// Some send, and others receive, or nobody does; all that is sent, received and stored is checked.
struct MessageBench: Sendable {
    /// Rooms; 0: each sender writes to somebody of its own who isn't there.
    var rooms = 1
    /// Of each room.
    var subscribers = 100
    /// Of each room; all of them if there is none.
    var senders = 1
    /// Messages that a sender has on their way at most.
    var inFlight = 64
    /// Of all senders together; a multiple of their number.
    var messages = 1000
    var bytes = 150
    /// Messages of all senders together that are sent when they are due; nil: as fast as they are acknowledged.
    var messagesPerSecond: Int?

    var allSenders: Int { max(1, rooms) * senders }
    /// A room's senders receive its messages too.
    var deliveries: Int { rooms == 0 ? 0 : messages * (subscribers + senders) }
    var sockets: Int { rooms * subscribers + allSenders }

    /// What a round found.
    struct Result: Sendable {
        var round: BenchRound
        /// Nanoseconds: from when it was due until a subscriber had it, until it was acknowledged.
        var deliveries: Histogram
        var acks: Histogram
    }

    /// Runs against `target`, which must be in mode `open`.
    ///
    /// - Throws: ``BenchFailure`` if anything was lost, came twice or out of order, or nothing moves for 30 seconds.
    func run(on target: BenchTarget, bar: ProgressBar) async throws -> Result {
        try FileDescriptors.require(sockets + 256)
        // What is there already isn't this bench's.
        var before: Offset = 0
        if let folder = target.folder {
            before = try await EventLog.opening(directory: folder.log, isReadOnly: true).head
        }
        let crowd = try await MessageCrowd(self, at: target.address)
        let meter = try await BenchMeter(target)
        let total = rooms == 0 ? messages : deliveries
        let watch = BenchWatch(
            bar: bar,
            unit: rooms == 0 ? "messages" : "deliveries",
            progress: {
                let progress = crowd.progress
                return (rooms == 0 ? progress.ackCount : progress.deliveryCount + progress.echoCount, total)
            },
            movement: { crowd.progress.sum },
            cut: { crowd.cut() }
        )
        try await watch.run { try await crowd.work() }
        let round = try await meter.round(
            rate: rooms == 0 ? .messagesPerSecond : .deliveriesPerSecond,
            units: total,
            events: messages
        )
        let ending = try await crowd.end()
        try await check(ending, target, crowd, after: before)
        return Result(round: round, deliveries: ending.deliveries, acks: ending.acks)
    }

    /// Looks in the log for what was acknowledged, or asks for it where there is no log to look into.
    private func check(
        _ ending: MessageCrowd.Ending,
        _ target: BenchTarget,
        _ crowd: MessageCrowd,
        after before: Offset
    ) async throws {
        var ledger = MessageLedger(acknowledged: ending.acknowledged, sendersOfRoom: rooms == 0 ? 1 : senders)
        if let folder = target.folder {
            let log = try await EventLog.opening(directory: folder.log, isReadOnly: true)
            try StoredMessages.read(log, after: before) { try ledger.take($0, at: $1) }
        } else {
            for question in crowd.questions {
                let stored = try await StoredMessages.ask(target.address, as: question.reader, about: question.subject)
                for message in stored { try ledger.take(message.mark, at: message.offset) }
            }
        }
        try ledger.check(received: ending.received)
    }
}
