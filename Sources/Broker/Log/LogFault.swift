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
    /// The event refers to none, or to one that it can't refer to.
    case reference(Offset, EventHeader)
    /// The event has lost its payload, and none says that it was redacted.
    case unexplainedRedaction(Offset)
    /// The table of names has another account for this name than the event that claims it, or none; or no event claims
    /// it.
    case name(AccountName, claimedBy: Offset?)
    /// A page of the file isn't as LMDB writes pages: what is in it can't be read without danger.
    case page(UInt64, String)

    /// The events that it concerns; 0 for none in particular.
    package var offsets: ClosedRange<Offset> {
        switch self {
        case .missing(let offsets), .hashesDamaged(_, let offsets), .hashesAltered(_, let offsets),
            .uncovered(let offsets):
            offsets
        case .unreadable(let offset, _), .timeGoesBack(let offset, _, _), .revision(let offset, _, _, _),
            .altered(let offset), .reference(let offset, _), .unexplainedRedaction(let offset):
            offset...offset
        case .name(_, let offset): (offset ?? 0)...(offset ?? 0)
        case .page: 0...0
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
        case .reference: "reference"
        case .unexplainedRedaction: "redaction"
        case .name: "name"
        case .page: "page"
        }
    }

    /// Whether it may be that nothing is wrong: a newer version has written what this one can't read.
    package var isOfNewerVersion: Bool {
        guard case .unreadable(_, let reason) = self else { return false }
        switch reason {
        case .unknownFormat, .unknownType, .unknownVersion, .unknownPayloadClass: return true
        case .missing, .truncated, .checksum, .payload: return false
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
        case .reference(let offset, let header):
            "event \(offset), a \(header.type.name), refers to event \(header.reference), which it can't refer to"
        case .unexplainedRedaction(let offset):
            "event \(offset) has lost its payload, and no event says that it was redacted"
        case .name(let name, let event?):
            "the table of names doesn't give the name \(Self.quoted(name)) to the account that claims it in event "
                + "\(event)"
        case .name(let name, nil): "the table of names has the name \(Self.quoted(name)), which no event claims"
        case .page(let page, let reason): "page \(page) of the file \(reason)"
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

    private static func quoted(_ name: AccountName) -> String {
        var bytes: [UInt8] = []
        // What stands in a damaged table may be no text.
        let text = Array(name.text.utf8)
        JSONEscape.append(text.span, to: &bytes)
        return "\"" + String(decoding: bytes, as: UTF8.self) + "\""
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
    /// How many faults there were beyond those that were asked for.
    package var moreFaults: UInt64
    /// Whether all faults, were they noted or not, may come from a newer version; see ``LogFault/isOfNewerVersion``.
    package var isOfNewerVersion: Bool
    /// How many streams the events belong to.
    package var streams: Int

    package var hasMoreFaults: Bool { moreFaults > 0 }
    package var isIntact: Bool { faults.isEmpty && !hasMoreFaults }
}
