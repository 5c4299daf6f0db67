import Broker
import NIOCore

/// The guests whom handshakes of one event loop wait for; confined to it.
///
/// A task for each, as ``Broker/execute(_:wakesWriter:)`` has it, would be woken across threads one by one: these come
/// with the batch that they are in.
final class Admissions {
    typealias Completion = (Outcome) -> Void

    /// A guest whom the writer has decided on.
    struct Admitted {
        let then: Completion
        let outcome: Outcome
    }

    private let broker: Broker
    private let loop: any EventLoop
    private let sink: Int
    private var waiting: [UInt64: Completion] = [:]
    private var lastTicket = firstTicket
    /// The last guest when it was looked at last; nil if the writer has been woken for all.
    private var lastSeen: UInt64?
    private var latestWake = NIODeadline.uptimeNanoseconds(0)

    /// Past the tickets of sessions, whose receipts come by the same sink.
    private static let firstTicket: UInt64 = 1 << 63
    /// The writer is left asleep for as long as more come within this time: after a restart many do, and a commit for
    /// each would cost more than all the rest of its handshake.
    private static let linger = TimeAmount.microseconds(250)
    /// But no longer than this.
    private static let longestLinger = TimeAmount.milliseconds(3)

    init(broker: Broker, loop: any EventLoop, sink: Int) {
        self.broker = broker
        self.loop = loop
        self.sink = sink
    }

    /// Lets a guest in, and calls `then` when the batch with it has been handed out here; at once if no more commands
    /// are taken.
    func admit(_ name: AccountName, then: @escaping Completion) {
        lastTicket += 1
        let origin = Broker.Origin(sink: sink, ticket: lastTicket)
        guard broker.submit(.admitGuest(name), origin: origin, wakesWriter: false) else {
            return then(.refused(.unavailable))
        }
        waiting[lastTicket] = then
        guard lastSeen == nil else { return }
        latestWake = loop.now + Self.longestLinger
        wakeSoon()
    }

    private func wakeSoon() {
        lastSeen = lastTicket
        loop.assumeIsolated().scheduleTask(in: Self.linger) { [self] in
            if lastTicket != lastSeen, loop.now < latestWake { return wakeSoon() }
            lastSeen = nil
            broker.wakeWriter()
        }
    }

    /// Takes who waits for `receipt`; nil if it isn't a guest's.
    func resolve(_ receipt: Receipt) -> Admitted? {
        waiting.removeValue(forKey: receipt.ticket).map { Admitted(then: $0, outcome: receipt.outcome) }
    }
}

@available(*, unavailable)
extension Admissions: Sendable {}
