/// The answer to a command.
///
/// It says what became of it, never what others will see of it: that comes by the log.
package struct Receipt: Sendable {
    /// What the sender of the command gave along.
    package var ticket: UInt64
    package var outcome: Outcome

    package init(ticket: UInt64, outcome: Outcome) {
        self.ticket = ticket
        self.outcome = outcome
    }
}

/// What became of a command.
package enum Outcome: Equatable, Sendable {
    /// Its events are in the log and on disk; `last` is the offset of the last of them.
    case stored(last: Offset)
    /// A message with this client's message id was sent before; it is at `offset`.
    case duplicate(Offset)
    /// Everything was so already. The offset is the one that the answer shows: for a mark, how far it has been read;
    /// for a message that was deleted before, the message's own; for an event that was redacted before, the event's;
    /// 0 if there is none.
    case unchanged(Offset)
    /// The account that goes by the name, old or new; `offset` is its event's, or 0 if it was there before.
    case account(AccountID, Offset)
    case refused(Refusal)
}

/// Why a command was refused.
///
/// Nothing was appended.
package enum Refusal: Error, Equatable, Sendable {
    /// The account name belongs to somebody.
    case accountTaken
    /// Nobody goes by that, or it was erased.
    case noSuchAccount
    case noSuchRoom
    /// The log has no event at that offset.
    case noSuchEvent
    /// The event has no payload, or one that can't be taken out: an attestation, or what belongs to an account that is
    /// still there.
    case notErasable
    /// There is no such message in this conversation or room, or it is deleted.
    case noSuchMessage
    case notMember
    /// Only who wrote a message changes it.
    case notAuthor
    /// A member may not do that.
    case notAllowed
    /// `limits.unanswered` messages in a row without an answer.
    case unanswered
    /// The room is full.
    case tooManyMembers
    /// Someone would be in too many rooms.
    case tooManyRooms
    /// The log can't take it now: the disk or the map is full, a view that decides is away, or too much is waiting.
    /// It may be tried again.
    case unavailable
}
