import Broker

/// What the verification of an export has come to.
struct ExportReport: Sendable {
    /// How sure it is that nothing is missing of what was selected.
    enum Completeness: String, Sendable {
        /// The entries of all events are there: nothing is missing that had happened by the checkpoint.
        case whole
        /// The revisions of the conversation or room have no gap: nothing is missing between the first and the last.
        case revisions
        /// The offsets have no gap: nothing is missing between the first and the last.
        case offsets
        /// Nothing is proven of what isn't there.
        case none
    }

    /// Where a name stands.
    enum NameBasis: Sendable {
        case proven, stated, erased
    }

    /// Why the export is refused; nil if it is accepted.
    private(set) var refutation: ExportVerification.Refutation?
    private(set) var key: VerifierKey?
    private(set) var manifest: ExportManifest?
    private(set) var eventCount: UInt64 = 0
    private(set) var redactedCount: UInt64 = 0
    private(set) var withheldCount: UInt64 = 0
    private(set) var firstOffset: Offset?
    private(set) var lastOffset: Offset?
    /// Milliseconds since 1970.
    private(set) var times: (first: UInt64, last: UInt64)?
    /// Of the conversation or room, if one was selected.
    private(set) var revisions: ClosedRange<UInt64>?
    private(set) var provenNameCount: UInt64 = 0
    private(set) var statedNameCount: UInt64 = 0
    private(set) var erasedNameCount: UInt64 = 0

    init(_ refutation: ExportVerification.Refutation) { self.refutation = refutation }

    /// Nothing was read yet.
    init(key: VerifierKey, manifest: ExportManifest) {
        self.key = key
        self.manifest = manifest
    }

    var completeness: Completeness {
        guard let manifest else { return .none }
        if manifest.hasEntries { return .whole }
        if manifest.selection.isWholeStream { return .revisions }
        return manifest.selection.isWholeTime ? .offsets : .none
    }

    mutating func addName(_ basis: NameBasis) {
        switch basis {
        case .proven: provenNameCount += 1
        case .stated: statedNameCount += 1
        case .erased: erasedNameCount += 1
        }
    }

    /// Takes in the next event.
    ///
    /// - Returns: What is wrong, if something is missing between it and the one before.
    mutating func add(_ event: DisclosedEvent) -> String? {
        guard let selection = manifest?.selection else { return nil }
        let header = event.record.header
        if selection.isWholeStream {
            let expected = revisions.map { $0.upperBound + 1 } ?? (selection.since == nil ? 1 : header.revision)
            guard header.revision == expected else {
                return "has revision \(header.revision) of the stream where \(expected) should follow"
            }
        }
        if selection.isWholeTime {
            let expected = lastOffset.map { $0 + 1 } ?? (selection.since == nil ? 1 : event.offset)
            guard event.offset == expected else { return "has event \(event.offset) where \(expected) should follow" }
        }
        if selection.stream != nil {
            revisions = (revisions?.lowerBound ?? header.revision)...header.revision
        }
        firstOffset = firstOffset ?? event.offset
        lastOffset = event.offset
        times = (times?.first ?? header.milliseconds, header.milliseconds)
        eventCount += 1
        if event.isWithheld { withheldCount += 1 } else if event.record.isRedacted { redactedCount += 1 }
        return nil
    }
}
