import Broker
import Cryptography
import Foundation

/// Verifies an export with nothing but the export and the log's key.
///
/// What is proven follows from the signed root: the tiles lead to it, the entries and the records are the leaves, and
/// each line is made anew from its record and compared. Memory: the names, and with entries a number for each stream.
final class ExportVerification {
    /// Why an export is refused.
    struct Refutation: Error, Equatable, Sendable {
        /// Within the export.
        var file: String
        var reason: String
    }

    private let folder: ExportFolder
    private let manifest: ExportManifest
    private let tree: TiledTree
    private let progress: (UInt64, UInt64) throws -> Void
    private var lines = ExportLine()
    private let events: ExportLinesReader
    private var buffer: [UInt8] = []
    /// What `names.jsonl` names, and whether nothing has spoken of it yet.
    private var isUnused: [Identifier: Bool] = [:]
    private var report: ExportReport

    /// Verifies the export in the folder at `path`.
    ///
    /// - Parameters:
    ///   - path: A folder that `quipu audit export` wrote, or that somebody says it did.
    ///   - key: The log's, from a source that the auditor trusts.
    ///   - progress: Told now and then how many of how many events are done. What it throws ends it.
    /// - Returns: What is proven, or why the export is refused.
    /// - Throws: ``CommandFailure`` with the status `usage` if the folder can't be read; what `progress` throws.
    static func verify(
        folder path: String,
        key: VerifierKey,
        progress: @escaping (UInt64, UInt64) throws -> Void = { _, _ in }
    ) throws -> ExportReport {
        // A link to a folder is as good, but its content isn't listed.
        let folder = ExportFolder(URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
            throw CommandFailure("\(path) is no folder that can be read", status: .usage)
        }
        // One that lacks some of these was an export, and is refused.
        let marks: Set = [ExportFolder.manifest, ExportFolder.names, ExportFolder.events]
        guard !marks.isDisjoint(with: names) else {
            throw CommandFailure("this folder is no export; name the files in it", status: .usage)
        }
        do {
            return try ExportVerification(folder, key, progress).run()
        } catch let refutation as Refutation {
            return ExportReport(refutation)
        } catch let error as CocoaError {
            throw CommandFailure("the export can't be read: \(error.shortDescription)", status: .usage)
        }
    }

    private init(
        _ folder: ExportFolder,
        _ key: VerifierKey,
        _ progress: @escaping (UInt64, UInt64) throws -> Void
    ) throws {
        self.folder = folder
        self.progress = progress
        let checkpoint = try Self.checkpoint(in: folder, key)
        manifest = try Self.manifest(in: folder, key)
        let head = TreeHead(size: checkpoint.size, root: checkpoint.root)
        guard manifest.head == head else {
            throw Refutation(file: ExportFolder.manifest, reason: "is of another checkpoint")
        }
        try Self.checkFiles(in: folder, size: head.size, hasEntries: manifest.hasEntries)
        do {
            tree = try TiledTree(head) { coordinate in
                guard let tile = try folder.tile(at: coordinate) else {
                    throw Refutation(file: coordinate.path, reason: "isn't \(coordinate.width) hashes long")
                }
                return tile
            }
        } catch let error as TiledTreeError {
            throw Refutation(file: "tile", reason: error.description)
        }
        events = try ExportLinesReader(folder.url(ExportFolder.events))
        report = ExportReport(key: key, manifest: manifest)
    }

    private func run() throws -> ExportReport {
        try verifyNames()
        let size = manifest.head.size
        if manifest.hasEntries {
            try verifyEntries()
        } else {
            // Each tile of the lowest level is held against the one above it, and so all are.
            for index in 0..<(size + 255) / 256 {
                _ = try Self.refuting(Self.tiles) { try tree.hash(of: TreeNode(level: 0, index: index * 256)) }
                if index % 64 == 0 { try progress(index * 256, size) }
            }
            while let event = try nextEvent() {
                if report.eventCount % 1024 == 0 { try progress(event.offset, size) }
            }
        }
        if try nextEvent() != nil { throw refutation("has an event that isn't among the entries") }
        guard events.finish() == manifest.events else {
            throw Refutation(file: ExportFolder.events, reason: "isn't the file that the manifest names")
        }
        if let id = isUnused.filter(\.value).keys.min() {
            throw Refutation(file: ExportFolder.names, reason: "names \(id) without need")
        }
        return report
    }

    // MARK: The events

    private func verifyNames() throws {
        let reader = try ExportLinesReader(folder.url(ExportFolder.names))
        var last: Offset = 0
        while let line = try Self.next(reader, ExportFolder.names) {
            let problem = Refutation(file: ExportFolder.names, reason: "line \(reader.count)")
            let (event, stated) = try Self.refuting(problem) {
                (try ExportLine.event(in: line), try ExportLine.name(in: line))
            }
            guard let named = event.record.header.named, isUnused[named] == nil, event.offset > last else {
                throw problem.saying("names nothing, or what was named before")
            }
            last = event.offset
            buffer.removeAll(keepingCapacity: true)
            let proof = try proof(of: event, problem)
            try Self.refuting(problem) {
                try lines.append(naming: event, stated: stated, proof, to: &buffer)
            }
            guard isMade(line) else { throw problem.saying("says something else than its record") }
            isUnused[named] = true
            try use(event.record.header.parties.filter { $0 != named }, problem)
            report.addName(try event.provenName != nil ? .proven : lines.names[named] != nil ? .stated : .erased)
        }
        guard reader.finish() == manifest.names else {
            throw Refutation(file: ExportFolder.names, reason: "isn't the file that the manifest names")
        }
    }

    /// The next event that was exported; nil after the last.
    private func nextEvent() throws -> DisclosedEvent? {
        guard let line = try Self.next(events, ExportFolder.events) else { return nil }
        let problem = refutation("")
        let event = try Self.refuting(problem) { try ExportLine.event(in: line) }
        let header = event.record.header
        guard event.offset > report.lastOffset ?? 0 else { throw problem.saying("comes too late or twice") }
        guard manifest.selection.matches(header) else { throw problem.saying("has an event that wasn't selected") }
        let proof = try proof(of: event, problem)
        buffer.removeAll(keepingCapacity: true)
        try Self.refuting(problem) { try lines.append(event, proof, to: &buffer) }
        guard isMade(line) else { throw problem.saying("says something else than its record") }
        try use(header.parties, problem)
        if let gap = report.add(event) { throw problem.saying(gap) }
        return event
    }

    /// Takes note that an event speaks of `parties`, who must have been named.
    private func use(_ parties: [Identifier], _ problem: Refutation) throws {
        for party in parties {
            guard isUnused[party] != nil else { throw problem.saying("speaks of \(party), whom no line names") }
            isUnused[party] = false
        }
    }

    /// The proof that the event is in the tree.
    ///
    /// There is only one for an event and a tree. So it isn't read from the line, but made, and the line has to be the
    /// same.
    private func proof(of event: DisclosedEvent, _ problem: Refutation) throws -> InclusionProof {
        let index = event.offset - 1
        guard index < manifest.head.size else { throw problem.saying("has an event after the checkpoint") }
        return try Self.refuting(Self.tiles) {
            guard try tree.hash(of: TreeNode(level: 0, index: index)) == event.leafHash(with: tree.hasher) else {
                throw problem.saying("has a record that isn't the one in the tree")
            }
            return try tree.inclusionProof(of: index)
        }
    }

    /// Whether what was made in the buffer is this line.
    ///
    /// As data, which are compared as memory is: byte by byte, it would be most of what a line costs in a debug build.
    private func isMade(_ line: ArraySlice<UInt8>) -> Bool { Data(buffer.dropLast()) == Data(line) }

    private func refutation(_ reason: String) -> Refutation {
        Refutation(file: ExportFolder.events, reason: "line \(events.count)").saying(reason)
    }

    // MARK: The entries

    /// Goes through the entries of all events, beside the events that were selected: of these none may be missing.
    private func verifyEntries() throws {
        var revisions: [StreamID: UInt64] = [:]
        var lastTime: UInt64 = 0
        for coordinate in TileCoordinate.entryBundles(to: manifest.head.size) {
            try progress(coordinate.first, manifest.head.size)
            let bundle = try folder.read(coordinate.path)
            let problem = Refutation(file: coordinate.path, reason: "")
            let entries = try Self.refuting(problem) {
                try EntryBundle.decode(bundle.span, width: coordinate.width)
            }
            for (place, bytes) in entries.enumerated() {
                let index = coordinate.first + UInt64(place)
                let problem = Refutation(file: coordinate.path, reason: "entry \(place)")
                let leaf = try Self.refuting(Self.tiles) { try tree.hash(of: TreeNode(level: 0, index: index)) }
                guard MerkleTree.leafHash(of: bytes.span, with: tree.hasher) == leaf else {
                    throw problem.saying("isn't the one in the tree")
                }
                let entry = try Self.refuting(problem) { try LeafEntry(bytes.span) }
                // From here on the log itself would be wrong, for this is what was signed.
                guard entry.offset == index + 1 else { throw problem.saying("has another event's offset") }
                guard entry.header.milliseconds >= lastTime else { throw problem.saying("goes back in time") }
                lastTime = entry.header.milliseconds
                let revision = revisions[entry.header.stream, default: 0] + 1
                guard entry.header.revision == revision else {
                    throw problem.saying("has revision \(entry.header.revision) where \(revision) follows")
                }
                revisions[entry.header.stream] = revision
                guard manifest.selection.matches(entry.header) else { continue }
                guard try nextEvent()?.offset == entry.offset else {
                    throw refutation("isn't event \(entry.offset), which was selected and is missing")
                }
            }
        }
    }
}

extension ExportVerification.Refutation {
    fileprivate func saying(_ text: String) -> Self {
        Self(file: file, reason: [reason, text].filter { !$0.isEmpty }.joined(separator: " "))
    }
}
