import Broker
import Foundation

/// Writes what an auditor can check without us: the tree, a signed head of it, and the events that were selected, each
/// with its record and a proof.
///
/// The tree is that of the moment at which it begins, whatever is appended meanwhile. The log is read twice: for who is
/// who, and for the events. Memory: the names of accounts and rooms.
struct LogExport {
    let log: EventLog
    let key: AuditKey
    let selection: ExportSelection
    let hasEntries: Bool
    private let bar: ProgressBar

    /// So many tiles are read in one snapshot; an entry bundle costs as much as ten.
    private static let sliceTiles = 64
    private static let sliceBundles = 4
    private static let sliceEvents = 512

    /// Gets ready to export what `selection` says.
    ///
    /// - Parameter hasEntries: Whether the entries of all events are written, those that weren't selected too: who did
    ///   what to whom and when, without the content. They prove that nothing that was selected is missing.
    init(log: EventLog, key: AuditKey, selection: ExportSelection, hasEntries: Bool, bar: ProgressBar) {
        self.log = log
        self.key = key
        self.selection = selection
        self.hasEntries = hasEntries
        self.bar = bar
    }

    /// Writes everything into `folder`, the checkpoint last; what is there without one is no export.
    ///
    /// - Throws: `TreeError`, `EventLog.Damaged` or ``CommandFailure`` if the log is not what its tree says;
    ///   `CancellationError`.
    func write(to folder: ExportFolder) throws -> ExportManifest {
        let head = try log.withTree { try $0.head() }
        try writeTiles(head, to: folder)
        let tree = try TiledTree(head) { coordinate in
            guard let tile = try folder.tile(at: coordinate) else { throw TreeError.hashesAltered }
            return tile
        }
        let range = try range(head)
        var line = ExportLine()
        let parties = try parties(in: range)
        let names = try writeNames(parties, tree, &line, to: folder)
        let events = try writeEvents(range, tree, &line, to: folder)
        let manifest = ExportManifest(
            head: head,
            selection: selection,
            hasEntries: hasEntries,
            names: names,
            events: events
        )
        let note = try SignedNote(signing: manifest.text, with: [key.signingKey])
        try folder.write(note.encode(), to: ExportFolder.manifest)
        try folder.write(key.checkpoint(of: head).encode(), to: ExportFolder.checkpoint, options: .atomic)
        return manifest
    }

    private func writeTiles(_ head: TreeHead, to folder: ExportFolder) throws {
        var tiles = TileCoordinate.tiles(to: head.size)[...]
        var bundles = (hasEntries ? TileCoordinate.entryBundles(to: head.size) : [])[...]
        let total = UInt64(tiles.count + bundles.count)
        while !tiles.isEmpty || !bundles.isEmpty {
            try Task.checkCancellation()
            let (tileSlice, bundleSlice) = (tiles.prefix(Self.sliceTiles), bundles.prefix(Self.sliceBundles))
            var files: [(String, [UInt8])] = []
            try log.withTree { tree in
                for coordinate in tileSlice {
                    guard let tile = try tree.tile(at: coordinate) else { throw TreeError.hashesAltered }
                    files.append((coordinate.path, tile.encode()))
                }
                for coordinate in bundleSlice {
                    guard let bundle = try tree.entryBundle(at: coordinate) else { throw TreeError.hashesAltered }
                    files.append((coordinate.path, bundle))
                }
            }
            for (path, bytes) in files { try folder.write(bytes, to: path) }
            tiles = tiles.dropFirst(Self.sliceTiles)
            bundles = bundles.dropFirst(Self.sliceBundles)
            bar.update(label: "tiles", done: total - UInt64(tiles.count + bundles.count), total: total)
        }
    }

    /// The offsets among which the selected events are.
    private func range(_ head: TreeHead) throws -> ClosedRange<Offset>? {
        let query = AuditQuery(since: selection.since, until: selection.until)
        guard let range = try query.range(in: log), range.lowerBound <= head.size else { return nil }
        return range.lowerBound...min(range.upperBound, head.size)
    }

    /// The offsets of the events that name everybody and every room of the selected events, ascending.
    private func parties(in range: ClosedRange<Offset>?) throws -> [Offset] {
        guard let range else { return [] }
        // The first event that names something; of a room its creator is a party too, who has a name.
        var naming: [Identifier: (offset: Offset, by: AccountID)] = [:]
        var offsets: Set<Offset> = []
        try log.forEach(in: 1...range.upperBound) { record in
            let header = record.header
            if let named = header.named, naming[named] == nil { naming[named] = (record.offset, header.actor) }
            if range.contains(record.offset), selection.matches(header) {
                for party in header.parties {
                    guard let found = naming[party], let creator = naming[found.by] else {
                        throw CommandFailure(
                            "event \(record.offset) speaks of \(party), which no event before it has named: verify "
                                + "the log"
                        )
                    }
                    offsets.insert(found.offset)
                    offsets.insert(creator.offset)
                }
            }
            if record.offset % Offset(Self.sliceEvents) == 0 {
                try Task.checkCancellation()
                bar.update(label: "names", done: record.offset, total: range.upperBound)
            }
            return true
        }
        return offsets.sorted()
    }

    private func writeNames(
        _ offsets: [Offset],
        _ tree: TiledTree,
        _ line: inout ExportLine,
        to folder: ExportFolder
    ) throws -> ExportManifest.Lines {
        let file = try ExportLinesWriter(folder.url(ExportFolder.names))
        var rest = offsets[...]
        while !rest.isEmpty {
            try Task.checkCancellation()
            var slice: [(DisclosedEvent, String?)] = []
            try log.read(at: Array(rest.prefix(Self.sliceEvents))) { record in
                var stated: String?
                if case .userRegistered(let user) = try record.readPayload() { stated = user.account.text }
                slice.append((DisclosedEvent(record, with: tree.hasher), stated))
                return true
            }
            rest = rest.dropFirst(Self.sliceEvents)
            for (event, stated) in slice {
                let proof = try proof(of: event, in: tree)
                try file.line { try line.append(naming: event, stated: stated, proof, to: &$0) }
            }
        }
        return try file.finish()
    }

    private func writeEvents(
        _ range: ClosedRange<Offset>?,
        _ tree: TiledTree,
        _ line: inout ExportLine,
        to folder: ExportFolder
    ) throws -> ExportManifest.Lines {
        let file = try ExportLinesWriter(folder.url(ExportFolder.events))
        guard let range else { return try file.finish() }
        var done = range.lowerBound - 1
        while done < range.upperBound {
            try Task.checkCancellation()
            var slice: [DisclosedEvent] = []
            let count = Int(min(range.upperBound - done, Offset(Self.sliceEvents)))
            // Lines are made outside: a snapshot should be short.
            try log.read(after: done, limit: count) { record in
                if selection.matches(record.header) { slice.append(DisclosedEvent(record, with: tree.hasher)) }
                return true
            }
            done += Offset(count)
            for event in slice {
                let proof = try proof(of: event, in: tree)
                try file.line { try line.append(event, proof, to: &$0) }
            }
            bar.update(label: "events", done: done - range.lowerBound + 1, total: Offset(range.count))
        }
        return try file.finish()
    }

    /// The proof, for the very event that the tree was made of.
    private func proof(of event: DisclosedEvent, in tree: TiledTree) throws -> InclusionProof {
        let index = event.offset - 1
        guard try tree.hash(of: TreeNode(level: 0, index: index)) == event.leafHash(with: tree.hasher) else {
            throw TreeError.eventAltered(event.offset)
        }
        return try tree.inclusionProof(of: index)
    }
}
