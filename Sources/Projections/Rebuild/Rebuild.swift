package import Broker
internal import Dispatch
internal import Foundation
internal import LMDB
internal import Synchronization

/// Views made anew from the log, beside those that are in use.
package enum Rebuild {
    /// How far a rebuild has come.
    package struct Progress: Sendable {
        /// The view's name.
        package var view: String
        /// The last event that it reflects.
        package var projected: Offset
        /// Where it goes.
        package var target: Offset
    }

    /// Told after every few thousand events, on the thread of that view; throw to give up.
    package typealias Report = @Sendable (Progress) throws -> Void

    /// How much memory a view may take for rows that aren't written yet, in bytes; those that are built at once, from a
    /// ``SharedReading``, twice that together.
    ///
    /// As many events as it has room for are sorted in memory and written in the order of the keys, into an empty file
    /// by appending: some two million messages. The next ones go in between those, which leaves pages half full: with
    /// an eighth of the memory that a million messages take the file was half as large again.
    package static let memoryBytes = 512 << 20
    /// How many bytes of rows are committed at once.
    ///
    /// LMDB uses the memory of their pages again for the next ones, and copies them into the file while the processor
    /// has them in its cache: the kernel's part took 0.9 s at once, 0.6 s by 16 MiB, 0.4 s by 1 MiB, and more below.
    static let partBytes = 2 << 20

    /// What bounds a slice of a rebuild.
    static func bounds(memoryBytes: Int) -> SliceBounds {
        SliceBounds(heldBytes: memoryBytes, partBytes: partBytes)
    }

    /// What is done to a view once it is built.
    package enum Finish: Sendable {
        /// It is flushed, which takes as long as the disk does, and marked clean.
        case flushed
        /// It is marked as in use in this boot of the machine, as any view is that a server writes to.
        case open(bootID: String)
        /// It is read and thrown away.
        case scratch
    }

    /// Builds the view of `projection` in `directory`, which must not be there, from the events up to `end`.
    ///
    /// The directory is removed if this throws.
    ///
    /// - Parameters:
    ///   - reader: Where the events come from if other views are built from them at the same time; has left when this
    ///     returns or throws.
    ///   - end: The last event; nil for the log's head now.
    ///   - memoryBytes: See ``memoryBytes``.
    ///   - batchEvents: The most events in a transaction.
    /// - Throws: ``PoisonEvent``, ``LMDBError``, what `report` throws.
    @discardableResult
    package static func build(
        _ projection: any Projection.Type,
        from log: EventLog,
        through reader: SharedReading.Reader? = nil,
        upTo end: Offset? = nil,
        into directory: String,
        memoryBytes: Int = memoryBytes,
        batchEvents: Int = .max,
        finish: Finish = .flushed,
        report: Report = { _ in }
    ) throws -> Checkpoint {
        try build(
            projection,
            from: log,
            through: reader,
            upTo: end,
            into: directory,
            memoryBytes: memoryBytes,
            batchEvents: batchEvents,
            finish: finish,
            report: report,
            stops: [],
            inspect: { _ in }
        )
    }

    /// The same, and hands the view to `inspect` when it reflects the events up to each of `stops` and none after.
    static func build(
        _ projection: any Projection.Type,
        from log: EventLog,
        through reader: SharedReading.Reader?,
        upTo end: Offset?,
        into directory: String,
        memoryBytes: Int = memoryBytes,
        batchEvents: Int = .max,
        finish: Finish,
        report: Report,
        stops: Set<Offset>,
        inspect: (ViewStore) throws -> Void
    ) throws -> Checkpoint {
        defer { reader?.leave() }
        guard !FileManager.default.fileExists(atPath: directory) else { throw DirectoryExists(path: directory) }
        let folder = ViewFolder(data: "")
        do {
            let store = try folder.create(projection, in: directory, log: log, isBuilding: true)
            let target = min(end ?? log.head, log.head)
            var projector = try Projector(store, log: log, reader: reader, bounds: bounds(memoryBytes: memoryBytes))
            for stop in stops.filter({ $0 > 0 && $0 < target }).sorted() + [target] {
                while try projector.advance(
                    limit: batchEvents,
                    upTo: stop,
                    progress: { try report(Progress(view: projection.name, projected: $0, target: target)) }
                ) {}
                if stops.contains(stop) { try inspect(store) }
            }
            reader?.leave()
            switch finish {
            case .flushed:
                try store.environment.flush()
                try MachineState.markClean(directory)
            case .open(let bootID): try MachineState.markOpen(directory, bootID: bootID)
            case .scratch: break
            }
            return try store.checkpoint()
        } catch {
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    /// Builds several views below `data` as ``ViewFolder`` has it, from one reading of the log, each on its own thread.
    ///
    /// - Returns: The checkpoints, in the order of `projections`.
    @discardableResult
    package static func build(
        _ projections: [any Projection.Type],
        from log: EventLog,
        upTo end: Offset? = nil,
        data: String,
        memoryBytes: Int = memoryBytes,
        batchEvents: Int = .max,
        report: @escaping Report = { _ in }
    ) throws -> [Checkpoint] {
        let end = end ?? log.head
        let folder = ViewFolder(data: data)
        return try concurrently(projections, from: log, memoryBytes: memoryBytes) { projection, reader in
            try build(
                projection,
                from: log,
                through: reader,
                upTo: end,
                into: folder.directory(of: projection),
                memoryBytes: memoryBytes,
                batchEvents: batchEvents,
                report: report
            )
        }
    }

    /// Rebuilds a view that no server has open, and puts it in the place of the old one.
    ///
    /// Doesn't wait for the disk, as no server does: if the machine stops before a server has, the next one builds the
    /// view again.
    package static func replace(
        _ projection: any Projection.Type,
        in folder: ViewFolder,
        from log: EventLog,
        through reader: SharedReading.Reader? = nil,
        report: Report = { _ in }
    ) throws -> Checkpoint {
        defer { reader?.leave() }
        try folder.cleanUp(projection)
        let directory = folder.rebuildDirectory(of: projection)
        let finish = Finish.open(bootID: folder.bootID)
        let checkpoint = try build(
            projection,
            from: log,
            through: reader,
            into: directory,
            finish: finish,
            report: report
        )
        try folder.exchange(projection)
        return checkpoint
    }

    /// Runs `body` for each of `projections` at once, on a thread of its own, with its reader of one reading of `log`.
    ///
    /// - Returns: The results in the order of `projections`.
    /// - Throws: The first error in that order, after all have ended.
    static func concurrently<Value: Sendable>(
        _ projections: [any Projection.Type],
        from log: EventLog,
        memoryBytes: Int = memoryBytes,
        _ body: @escaping @Sendable (any Projection.Type, SharedReading.Reader) throws -> Value
    ) throws -> [Value] {
        let reading = SharedReading(log, for: projections, heldBytes: 2 * memoryBytes)
        let results = Mutex<[Result<Value, any Error>?]>(Array(repeating: nil, count: projections.count))
        let group = DispatchGroup()
        for (index, projection) in projections.enumerated() {
            // Readers wait for each other, so each needs a thread; a concurrent queue has only as many as there are
            // cores.
            DispatchQueue(label: "rebuild \(projection.name)").async(group: group) {
                let reader = reading.reader(index)
                defer { reader.leave() }
                let result = Result { try body(projection, reader) }
                results.withLock { $0[index] = result }
            }
        }
        group.wait()
        return try results.withLock { $0 }.compactMap { try $0?.get() }
    }

    /// There is something where a view was to be built.
    package struct DirectoryExists: Error, CustomStringConvertible {
        package var path: String
        package var description: String { "\(path) exists; name a directory that doesn't, or remove it" }
    }

    /// The view is being rebuilt already.
    package struct InProgress: Error, CustomStringConvertible {
        package var view: String
        package var description: String { "the view \(view) is being rebuilt already; try again when that is done" }
    }
}
