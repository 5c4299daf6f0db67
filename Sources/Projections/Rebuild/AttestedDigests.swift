package import Broker
package import Cryptography

/// What the log says that its views held: one digest for each time that one was attested.
///
/// An attestation is an event and so a leaf of the log's tree: who has a head of the tree after it can tell whether the
/// server shows the same today as it did then.
package struct AttestedDigests: Sendable {
    /// One attestation of one view.
    package struct Entry: Equatable, Sendable {
        /// The event that says it.
        package var event: Offset
        /// The offset that the digest is of.
        package var reference: Offset
        package var digest: Digest
    }

    private struct View: Hashable {
        var name: String
        var version: UInt32
    }

    private var entries: [View: [Entry]] = [:]
    /// The attestations that say nothing any more, because somebody has taken their payload out of the log.
    package private(set) var unreadable: [Offset] = []

    /// Collects all that are in `log` now; goes through the whole log.
    ///
    /// - Throws: ``EventLog/Damaged``, `RecordError`.
    package init(in log: EventLog) throws {
        let head = log.head
        var reached: Offset = 0
        while reached < head {
            try log.read(after: reached, limit: Int(min(Self.sliceEvents, head - reached))) { record in
                reached = record.offset
                if record.header.type == .viewAttested { try add(record) }
                return true
            }
        }
        for view in entries.keys { entries[view]?.sort { ($0.reference, $0.event) < ($1.reference, $1.event) } }
    }

    private static let sliceEvents: Offset = 8192

    private mutating func add(_ record: borrowing Record) throws {
        guard case .viewAttested(let views) = try record.decodePayload() else {
            unreadable.append(record.offset)
            return
        }
        for view in views {
            let entry = Entry(event: record.offset, reference: record.header.reference, digest: view.digest)
            entries[View(name: view.name, version: view.version), default: []].append(entry)
        }
    }

    /// Those of a view in this version, by the offset that they are of.
    package func entries(of projection: any Projection.Type) -> [Entry] {
        entries[View(name: projection.name, version: UInt32(projection.version))] ?? []
    }

    /// How many there are of other versions of a view, which nothing here can replay.
    package func count(ofOtherVersionsOf projection: any Projection.Type) -> Int {
        var count = 0
        for (view, found) in entries where view.name == projection.name && view.version != projection.version {
            count += found.count
        }
        return count
    }
}

/// An attestation that a replay of the log doesn't bear out.
package struct RefutedAttestation: Equatable, Sendable, CustomStringConvertible {
    /// The view's name.
    package var view: String
    package var attested: AttestedDigests.Entry
    /// The digest of the replay at the same offset.
    package var replayed: Digest

    package var description: String {
        """
        event \(attested.event) attests that the view \(view) had the digest \(attested.digest) at \
        \(attested.reference); a replay gives \(replayed)
        """
    }
}
