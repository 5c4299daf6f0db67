import Broker

/// Where a socket begins: at the head of the log, or at the position that its URL asks for.
struct SessionStart {
    /// The cursor's first place.
    var offset: Offset
    /// The user's rooms as of `offset`.
    var rooms: Set<RoomID> = []
    /// The user's rooms of now.
    var currentRooms: Set<RoomID> = []
    /// Whether a socket of the older servers' kinds gets reads, edits, deletions, typing and presence as well.
    var wantsChanges = false
    var resume = Resume.none

    enum Resume {
        case none
        case accepted
        case refused(ResumePoint.Refusal)
    }
}

/// A position that a client wants to go on from, as this log sees it.
enum ResumePoint {
    case valid(Offset)
    case refused(Refusal)

    /// Why a position can't be gone on from.
    struct Refusal: Equatable {
        var text: String
        /// The last offset that the client's log and this one share.
        var lastShared: Offset
    }

    /// - Parameters:
    ///   - after: The last offset that the client has seen.
    ///   - log: The log that it was counted in, as clients are told it; nil: this one.
    init(after: Offset, log: String?, in eventLog: EventLog) {
        let head = eventLog.head
        var shared = head
        if let log {
            let identity = LogIdentity(log)
            guard let bound = identity.flatMap({ eventLog.lastShared(with: $0) }) else {
                self = .refused(Refusal(text: "this is another log: nothing of yours is in it", lastShared: 0))
                return
            }
            shared = min(head, bound)
        }
        if after <= shared {
            self = .valid(after)
        } else if shared < head {
            let text = "the log was restored from a backup after \(shared): what you saw later is not in it"
            self = .refused(Refusal(text: text, lastShared: shared))
        } else {
            self = .refused(Refusal(text: "the log ends at \(shared), before your position", lastShared: shared))
        }
    }
}
