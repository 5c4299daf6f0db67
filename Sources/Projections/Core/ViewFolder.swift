internal import Broker
internal import Foundation
internal import LMDB

/// Where views lie in a data folder, and how one is opened there: continued if it can be trusted, else made anew.
///
/// | directory | what |
/// | --- | --- |
/// | `views/<name>-v<n>` | the view |
/// | `….rebuild` | one being built beside it |
/// | `….retired-<n>` | the old one, until its last reader is done |
///
/// The switch is two renames. A crash between them leaves a `….retired-<n>`, which is then the view again. What an
/// older version of the view has left is removed; a newer one's is not, so that going back to it costs nothing.
package struct ViewFolder: Sendable {
    /// The data folder.
    package let data: String
    /// The most that a view's file may grow to, in bytes.
    package var mapBytes: Int
    /// The most read transactions at once.
    package var readers: Int
    /// The boot that the machine is in.
    let bootID: String

    package init(data: String, mapBytes: Int = 1 << 40, readers: Int = 512) {
        self.init(data: data, mapBytes: mapBytes, readers: readers, bootID: MachineState.currentBootID())
    }

    init(data: String, mapBytes: Int = 1 << 40, readers: Int = 512, bootID: String) {
        self.data = data
        self.mapBytes = mapBytes
        self.readers = readers
        self.bootID = bootID
    }

    /// What became of a view at opening.
    package enum Opening: Equatable, Sendable, CustomStringConvertible {
        /// It goes on from its checkpoint.
        case continued
        /// There was none.
        case created
        /// It was dropped and is built anew; the text says why.
        case dropped(String)

        package var description: String {
            switch self {
            case .continued: "continued"
            case .created: "created"
            case .dropped(let reason): "rebuilt, because \(reason)"
            }
        }
    }

    /// The directory of a view.
    package func directory(of projection: any Projection.Type) -> String {
        "\(data)/views/\(projection.name)-v\(projection.version)"
    }

    func rebuildDirectory(of projection: any Projection.Type) -> String { directory(of: projection) + ".rebuild" }

    /// The retired directories of a view, oldest first.
    private func retiredDirectories(of projection: any Projection.Type) -> [(number: Int, path: String)] {
        let prefix = "\(projection.name)-v\(projection.version).retired-"
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "\(data)/views")) ?? []
        return entries.compactMap { entry in
            guard entry.hasPrefix(prefix), let number = Int(entry.dropFirst(prefix.count)) else { return nil }
            return (number, "\(data)/views/\(entry)")
        }
        .sorted { $0.number < $1.number }
    }

    /// What is left of versions of a view before this one.
    private func outdatedDirectories(of projection: any Projection.Type) -> [String] {
        directories(of: projection) { $0 < projection.version }
    }

    /// What there is of the versions of a view that `isWanted`.
    private func directories(of projection: any Projection.Type, _ isWanted: (Int) -> Bool) -> [String] {
        let prefix = projection.name + "-v"
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "\(data)/views")) ?? []
        return entries.filter { entry in
            guard entry.hasPrefix(prefix), let version = Int(entry.dropFirst(prefix.count).prefix { $0 != "." }) else {
                return false
            }
            return isWanted(version)
        }
        .map { "\(data)/views/\($0)" }
    }

    /// Removes what other versions of a view have left, newer ones too: nobody takes out of them what is redacted now.
    func removeOtherVersions(of projection: any Projection.Type) throws {
        for path in directories(of: projection, { $0 != projection.version }) {
            try FileManager.default.removeItem(atPath: path)
        }
    }

    /// A directory that isn't there yet, for a view that is replaced.
    private func nextRetiredDirectory(of projection: any Projection.Type) -> String {
        "\(directory(of: projection)).retired-\((retiredDirectories(of: projection).last?.number ?? 0) + 1)"
    }

    /// Puts the directory of `new` in the place of the view's, whose environment is `old`, and keeps the old one aside.
    func exchange(_ old: ViewStore, for new: ViewStore) throws {
        let directory = directory(of: new.projection)
        let retired = nextRetiredDirectory(of: new.projection)
        try old.environment.move(to: retired)
        do {
            try new.environment.move(to: directory)
        } catch {
            try old.environment.move(to: directory)
            throw error
        }
    }

    /// Puts the directory of a finished rebuild in the place of the view's, which nobody has open.
    func exchange(_ projection: any Projection.Type) throws {
        let files = FileManager.default
        let directory = directory(of: projection)
        let retired = nextRetiredDirectory(of: projection)
        let hasOld = files.fileExists(atPath: directory)
        if hasOld { try files.moveItem(atPath: directory, toPath: retired) }
        try files.moveItem(atPath: rebuildDirectory(of: projection), toPath: directory)
        if hasOld { try? files.removeItem(atPath: retired) }
    }

    /// Opens a view and marks it as in use.
    func open(_ projection: any Projection.Type, log: EventLog) throws -> (ViewStore, Opening) {
        let files = FileManager.default
        let directory = directory(of: projection)
        let isUpgrade = !outdatedDirectories(of: projection).isEmpty
        try cleanUp(projection)
        guard files.fileExists(atPath: directory + "/data.mdb") else {
            let store = try create(projection, in: directory, log: log)
            return (store, isUpgrade ? .dropped("it was of an older version") : .created)
        }
        var reason = MachineState.reasonForDistrust(of: directory, bootID: bootID)
        if reason == nil {
            do {
                let store = try ViewStore(
                    projection,
                    directory: directory,
                    mapBytes: mapBytes,
                    readers: readers,
                    log: log.identity
                )
                reason = try store.checkpoint().reasonNotOn(log)
                if reason == nil {
                    try MachineState.markOpen(directory, bootID: bootID)
                    return (store, .continued)
                }
            } catch let error as LMDBError where error.isUnreadable {
                reason = "its file is unreadable (\(error))"
            } catch let error as ViewStore.Unreadable {
                reason = error.description
            }
        }
        try files.removeItem(atPath: directory)
        return (try create(projection, in: directory, log: log), .dropped(reason ?? ""))
    }

    /// Ends what a crash has interrupted, and removes what no version from this one on reads.
    func cleanUp(_ projection: any Projection.Type) throws {
        let files = FileManager.default
        let directory = directory(of: projection)
        try? files.removeItem(atPath: rebuildDirectory(of: projection))
        var retired = retiredDirectories(of: projection)
        if !files.fileExists(atPath: directory), let last = retired.popLast() {
            try files.moveItem(atPath: last.path, toPath: directory)
        }
        for old in retired { try? files.removeItem(atPath: old.path) }
        for old in outdatedDirectories(of: projection) { try? files.removeItem(atPath: old) }
    }

    /// Makes an empty view in `directory`, in place of anything there, and marks it as in use, or as one that is being
    /// built.
    func create(
        _ projection: any Projection.Type,
        in directory: String,
        log: EventLog,
        isBuilding: Bool = false
    ) throws -> ViewStore {
        let files = FileManager.default
        if files.fileExists(atPath: directory) { try files.removeItem(atPath: directory) }
        try files.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        if isBuilding {
            try MachineState.markBuilding(directory)
        } else {
            try MachineState.markOpen(directory, bootID: bootID)
        }
        return try ViewStore(projection, directory: directory, mapBytes: mapBytes, readers: readers, log: log.identity)
    }
}
