/// What a verification of the log found wrong.
package enum LogFault: Equatable, Sendable, CustomStringConvertible {
    /// These events aren't there, though later ones are, or the tree covers them.
    case missing(ClosedRange<Offset>)
    /// The record can't be read.
    case unreadable(Offset, RecordError)
    /// The event is earlier than the one before it, in milliseconds since 1970.
    case timeGoesBack(Offset, from: UInt64, to: UInt64)
    /// The event isn't the next of its stream.
    case revision(Offset, stream: StreamID, found: UInt64, expected: UInt64)
    /// The event can be read, but isn't the one that the tree was made of.
    case altered(Offset)
    /// The hashes over these events, on a level of tiles, aren't there or are damaged.
    case hashesDamaged(level: Int, ClosedRange<Offset>)
    /// The hashes over these events, on a level of tiles, don't fit those of the level beside it.
    case hashesAltered(level: Int, ClosedRange<Offset>)
    /// The tree doesn't cover these events.
    case uncovered(ClosedRange<Offset>)

    /// The events that it concerns.
    package var offsets: ClosedRange<Offset> {
        switch self {
        case .missing(let offsets), .hashesDamaged(_, let offsets), .hashesAltered(_, let offsets),
            .uncovered(let offsets):
            offsets
        case .unreadable(let offset, _), .timeGoesBack(let offset, _, _), .revision(let offset, _, _, _),
            .altered(let offset):
            offset...offset
        }
    }

    /// One word for machines; it never changes.
    package var code: String {
        switch self {
        case .missing: "missing"
        case .unreadable: "unreadable"
        case .timeGoesBack: "time"
        case .revision: "revision"
        case .altered: "altered"
        case .hashesDamaged: "hashes-damaged"
        case .hashesAltered: "hashes-altered"
        case .uncovered: "uncovered"
        }
    }

    package var description: String {
        switch self {
        case .missing(let offsets): "\(Self.text(offsets)) missing"
        case .unreadable(let offset, let reason): "event \(offset) can't be read: \(reason)"
        case .timeGoesBack(let offset, let before, let time):
            "event \(offset) happened at \(time) ms, before the event that it follows, at \(before) ms"
        case .revision(let offset, let stream, let found, let expected):
            "event \(offset) is number \(found) of stream \(stream), where number \(expected) is due"
        case .altered(let offset):
            "event \(offset) is not the one that the tree was made of: it was changed or moved afterwards"
        case .hashesDamaged(let level, let offsets):
            "the level-\(level) hashes over \(Self.text(offsets)) missing or damaged"
        case .hashesAltered(let level, let offsets):
            "the level-\(level) hashes over \(Self.text(offsets)) altered: they don't fit the level beside them"
        case .uncovered(let offsets):
            "\(Self.text(offsets)) not in the tree: an older version appended them, or the tree isn't complete yet"
        }
    }

    /// This and `next` as one, if `next` says the same of the events that follow.
    func joined(with next: LogFault) -> LogFault? {
        switch (self, next) {
        case (.missing(let events), .missing(let others)) where events.upperBound + 1 == others.lowerBound:
            .missing(events.lowerBound...others.upperBound)
        case (.hashesDamaged(let level, let events), .hashesDamaged(let other, let others))
        where level == other && events.upperBound + 1 == others.lowerBound:
            .hashesDamaged(level: level, events.lowerBound...others.upperBound)
        default: nil
        }
    }

    /// As in `event 7 is` and `events 7 to 9 are`.
    private static func text(_ offsets: ClosedRange<Offset>) -> String {
        offsets.lowerBound == offsets.upperBound
            ? "event \(offsets.lowerBound) is" : "events \(offsets.lowerBound) to \(offsets.upperBound) are"
    }
}

/// What a verification of the log came to.
package struct LogVerification: Sendable {
    /// The head of the tree that the log was held against; nil if it isn't to be had.
    package var head: TreeHead?
    /// The events that were looked at; empty if there are none.
    package var offsets: Range<Offset>
    /// What is wrong: with the events and their leaves in their order, then with each level of hashes above.
    package var faults: [LogFault]
    /// Whether there were more faults than were asked for.
    package var hasMoreFaults: Bool

    package var isIntact: Bool { faults.isEmpty && !hasMoreFaults }
}
