import Broker
import Foundation
import HTTPTypes
import Logging
import Projections

/// What all sockets share.
///
/// A class, so that the hot path copies one reference.
final class SessionServices: Sendable {
    let broker: Broker
    let views: Views
    let directory: AccountDirectory
    let presence: Presence
    let rates: MessageRates
    let typing: TypingRates
    let loops: LoopMail
    let settings: Settings
    let frameLimits: ClientFrame.Limits
    let logger: Logger
    /// The log's id as clients are told it.
    let logText: String
    /// What a greeting says of the limits, from its comma on.
    let limitsText: String
    /// The last event that was in the log when the server started.
    private let headAtStart: Offset

    init(broker: Broker, views: Views, settings: Settings, logger: Logger) {
        self.broker = broker
        self.views = views
        self.settings = settings
        self.logger = logger
        headAtStart = broker.log.head
        logText = broker.log.identity.description
        let limits = settings.limits
        limitsText =
            ",\"limits\":{\"content_bytes\":\(limits.contentBytes),\"frame_bytes\":\(limits.frameBytes)"
            + ",\"messages_per_second\":\(limits.messagesPerSecond),\"page_rows\":\(limits.pageRows)"
            + ",\"pending_requests\":\(limits.pendingRequests),\"unanswered\":\(limits.unanswered)}"
        let users = views.users
        directory = AccountDirectory { id in (try? users.name(of: id)) ?? nil }
        let loops = LoopMail()
        self.loops = loops
        presence = Presence { loop, subject in loops.to(loop) { $0.watches.changed(subject) } }
        rates = MessageRates(perSecond: settings.limits.messagesPerSecond)
        typing = TypingRates()
        frameLimits = .init(
            idBytes: settings.limits.messageIdBytes,
            refBytes: settings.limits.refBytes,
            rows: settings.limits.pageRows
        )
    }

    /// Returns once `view` has projected all that is in the log now.
    ///
    /// - Throws: ``HTTPFailure``, 503, if it doesn't in time.
    func wait(for view: View) async throws {
        let deadline = ContinuousClock.now + .milliseconds(settings.limits.queryWaitMilliseconds)
        do {
            try await view.waitUntilProjected(broker.log.head, deadline: deadline)
        } catch {
            throw HTTPFailure(.serviceUnavailable, "the view of this answer is behind or away; try again")
        }
    }

    /// Whether ``wait(for:)`` has nothing to wait for.
    func hasProjected(_ view: View) -> Bool { view.projected >= broker.log.head && view.failure == nil }

    /// Returns once everybody's name can be told.
    ///
    /// The view of users must know the accounts that were there when the server started; of those that have come since,
    /// every event loop has told the ``directory``.
    ///
    /// - Throws: ``HTTPFailure``, 503, if the view is away or doesn't come so far in time.
    func waitForNames() async throws {
        if !knowsNames { try await wait(for: views.users.view) }
    }

    /// Whether ``waitForNames()`` has nothing to wait for.
    var knowsNames: Bool { views.users.view.projected >= headAtStart && views.users.view.failure == nil }

    /// The account that a token speaks for; nil if it isn't there any more, even if its name is another's now.
    ///
    /// - Throws: ``HTTPFailure``, 503, if the view of users is behind or away; what the log throws.
    func account(of token: VerifiedToken, named name: AccountName) async throws -> AccountID? {
        guard let id = try broker.log.accountID(named: name) else { return nil }
        if let meant = token.id { return meant == id ? id : nil }
        // Signed by somebody else who has the key: it must not be older than the account, its time in whole seconds.
        try await wait(for: views.users.view)
        guard let made = try views.users.account(id).value?.registeredOffset,
            let milliseconds = try broker.log.withRecord(at: made, { $0.header.milliseconds })
        else { return nil }
        return token.validFrom.timeIntervalSince1970 + 1 > Double(milliseconds) / 1000 ? id : nil
    }

    /// How many members `room` has, as far as its view has come; 0 if nobody can tell.
    func memberCount(of room: RoomID) -> Int { (try? views.rooms.room(room).value?.memberCount) ?? 0 }

    /// Whether `room` is small enough that its members hear of each other's reading.
    func showsReceipts(of room: RoomID) -> Bool {
        let count = memberCount(of: room)
        return count > 0 && count <= settings.limits.receiptMembers
    }
}
