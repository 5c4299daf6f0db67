import Broker
import Foundation
import Projections
import Synchronization

/// Erases payloads from the log, and then their bytes from the files: the log's is written anew, and so are the views
/// that hold texts.
///
/// An ``ErasureMark`` lies in the folder meanwhile. Whatever interrupts it, doing the same again does the rest.
final class Erasing: Sendable {
    private let folder: DataFolder
    private let broker: Broker
    private let views: Views
    private let mark: ErasureMark
    private let isBusy = Mutex(false)

    init(folder: DataFolder, broker: Broker, views: Views) {
        self.folder = folder
        self.broker = broker
        self.views = views
        mark = ErasureMark(folder)
    }

    /// Erases what is asked for; returns when no file has it any more.
    ///
    /// - Throws: ``CommandFailure`` that says how far it has come and what to do.
    func run(_ request: ErasureRequest, progress: @escaping ControlHandlers.Progress) async throws -> ErasureReport {
        let isFirst = isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard isFirst else { throw CommandFailure("another erasure is under way: try again when it is done") }
        defer { isBusy.withLock { $0 = false } }

        var report = try await erase(request)
        if report.erased > 0 || report.offset != nil || report.resumed {
            try await rewriteFiles(progress)
            report.rewritten = true
        }
        try mark.remove()
        report.logBytes = logBytes
        report.left = leftovers
        return report
    }

    // MARK: Payloads

    private func erase(_ request: ErasureRequest) async throws -> ErasureReport {
        var report = ErasureReport(erased: 0, resumed: mark.isThere, rewritten: false, logBytes: 0)
        let account = try account(of: request, isResumed: report.resumed)
        report.accountID = account?.description
        try mark.set()
        do {
            switch request.target {
            case .event(let offset):
                report.add(try await broker.redact(offset, reason: request.reason, by: .none))
            case .account:
                if let account { report.add(try await broker.eraseUser(account, reason: request.reason, by: .none)) }
            }
            if report.resumed { report.add(try await broker.finishErasures(by: .none)) }
        } catch let refusal as Refusal where refusal != .unavailable {
            if !report.resumed { try mark.remove() }
            throw failure(refusal, request)
        } catch is Refusal {
            throw CommandFailure(
                "the log can't take it now, and not all is erased: look whether the disk is full, and run the same "
                    + "command again"
            )
        } catch {
            throw CommandFailure("not all is erased: \(error.shortDescription)")
        }
        return report
    }

    /// - Returns: Nil if an event is asked for, or an account that an interrupted erasure has taken the name from.
    private func account(of request: ErasureRequest, isResumed: Bool) throws -> AccountID? {
        guard case .account(let text) = request.target else { return nil }
        guard let name = try? AccountName(text), let found = try broker.log.accountID(named: name) else {
            guard !isResumed else { return nil }
            throw CommandFailure("there is no account \(text.shownAsJSON) in this log", status: .usage)
        }
        return found
    }

    private func failure(_ refusal: Refusal, _ request: ErasureRequest) -> CommandFailure {
        guard case .event(let offset) = request.target else {
            return CommandFailure("the account is not there any more", status: .usage)
        }
        guard refusal == .notErasable, let header = try? broker.log.withRecord(at: offset, { $0.header }) else {
            return CommandFailure(
                "there is no event \(offset) in this log, which ends at \(broker.log.head)",
                status: .usage
            )
        }
        let event = "event \(offset), a \(header.type.name),"
        switch header.type {
        case .userRegistered, .guestSeen:
            return CommandFailure("\(event) can only go with its account: quipu user erase")
        case .viewAttested: return CommandFailure("\(event) holds digests and nothing of anybody: it can't be erased")
        default: return CommandFailure("\(event) has nothing to erase: all that it says is in its header")
        }
    }

    // MARK: Bytes

    private func rewriteFiles(_ progress: @escaping ControlHandlers.Progress) async throws {
        let head = broker.log.head
        progress(ReplayProgress(view: "log", events: 0, of: head))
        do {
            try await broker.compactLog()
        } catch {
            throw Self.isLeft(in: "the old file of the log", folder.log, logBytes, error)
        }
        progress(ReplayProgress(view: "log", events: head, of: head))
        do {
            try await ViewBuilding.onThread { [views] in
                try views.expunge(report: $0)
            } progress: {
                progress($0)
            }
        } catch {
            throw Self.isLeft(in: "the old files of the views", folder.views, bytes(in: folder.views), error)
        }
    }

    private static func isLeft(
        in place: String,
        _ path: String,
        _ bytes: UInt64,
        _ error: any Error
    ) -> CommandFailure {
        CommandFailure(
            "it is erased from the log, but its bytes are still in \(place), which can't be written anew: "
                + "\(CommandFailure(error).message). That needs room for a second copy, \(Int(bytes).grouped) bytes, "
                + "in \(path). Nothing is lost: run the same command again"
        )
    }

    private var logBytes: UInt64 { bytes(in: folder.log) }

    private func bytes(in directory: String) -> UInt64 {
        let files = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        return files.reduce(0) { sum, file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(file)")
            guard attributes?[.type] as? FileAttributeType == .typeRegular else { return sum }
            return sum + ((attributes?[.size] as? NSNumber)?.uint64Value ?? 0)
        }
    }

    /// What a `quipu replay --verify` is at work in; what killed ones have left is removed.
    private var leftovers: [String] {
        ScratchFolder.removeStale(in: folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasPrefix(ScratchFolder.prefix) }.sorted().map { "\(folder.path)/\($0)" }
    }
}

extension ErasureReport {
    fileprivate mutating func add(_ erasure: Broker.Erasure) {
        erased += erasure.redacted
        if erasure.last > 0 { offset = erasure.last }
    }
}
