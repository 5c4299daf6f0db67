import Broker
import Foundation
import Projections

/// What the view of unread counts says of an account, read beside the server that may be filling it.
enum UnreadViewReading: Sendable {
    case counts(UnreadView.Counts)
    /// There is nothing that could be compared with this log; the text says why.
    case absent(String)
    /// There is a view, but it gives no answer; the text says why.
    case unreadable(String)

    private static let pause = Duration.milliseconds(20)

    /// Asks the view as soon as it has projected what was in `log` when that was opened.
    ///
    /// If it hasn't come so far when `patience` is over, or nobody is there to take it further, it is asked as it is.
    static func read(
        _ account: AccountID,
        in folder: DataFolder,
        of log: EventLog,
        patience: Duration,
        _ bar: ProgressBar
    ) async throws -> UnreadViewReading {
        let head = log.head
        let deadline = ContinuousClock.now + patience
        while true {
            // Opened anew each time: a server may rebuild the view and put another in its place.
            let reading = try read(account, in: folder, of: log)
            if case .counts(let counts) = reading {
                guard counts.asOf < head else { return reading }
                bar.update(label: "waiting for the view", done: counts.asOf, total: head)
            }
            guard ContinuousClock.now < deadline, isInUse(folder) else { return reading }
            try await Task.sleep(for: pause)
        }
    }

    private static func read(
        _ account: AccountID,
        in folder: DataFolder,
        of log: EventLog
    ) throws -> UnreadViewReading {
        let projection = UnreadProjection.self
        let directory = ViewFolder(data: folder.path).directory(of: projection)
        guard FileManager.default.fileExists(atPath: directory + "/data.mdb") else {
            return .absent("there is no view \(projection.name) of this version")
        }
        do {
            let store = try ViewStore(projection, readOnlyDirectory: directory)
            let checkpoint = try store.checkpoint()
            guard checkpoint.log == log.identity, try log.leafHash(at: checkpoint.offset) == checkpoint.leafHash else {
                return .absent("the view \(projection.name) was not made from this log")
            }
            return .counts(try UnreadView(View(store)).counts(of: account))
        } catch let error as EventLog.Damaged {
            throw error
        } catch {
            return .unreadable("the view \(projection.name) can't be read: \(error.shortDescription)")
        }
    }

    /// Whether the process that has the folder, or had it last, is alive.
    ///
    /// It isn't asked: one that is stopped wouldn't answer, and one that is starting can't yet.
    private static func isInUse(_ folder: DataFolder) -> Bool {
        guard let holder = DataFolderLock.holder(of: folder) else { return false }
        return kill(holder.pid, 0) == 0 || errno == EPERM
    }
}
