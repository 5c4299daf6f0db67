import ArgumentParser
import Broker
import Foundation
import Projections

/// What the two commands that erase share.
struct ErasureOptions: ParsableArguments {
    @Flag(help: "Don't ask. Without a terminal nothing is asked anyway.")
    var yes = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var location: FolderOptions

    static let reasonBytes = 1024

    static func validate(reason: String, mayBeEmpty: Bool = false) throws {
        guard mayBeEmpty || !reason.isEmpty else { throw ValidationError("--reason must not be empty.") }
        guard reason.utf8.count <= reasonBytes, !reason.unicodeScalars.contains("\0") else {
            throw ValidationError("--reason may have \(reasonBytes.grouped) bytes at most, and no NUL.")
        }
    }

    func confirm(_ answer: String, _ question: @autoclosure () throws -> String) throws {
        if !yes { try Confirmation().require(answer, to: question()) }
    }

    /// Erases, by way of the server or without one, and prints what was done.
    ///
    /// - Parameter confirm: Asks whether it is meant.
    func run(_ request: ErasureRequest, _ command: String, confirm: (DataFolder) throws -> Void) async throws {
        let (folder, settings) = try await location.load()
        try folder.requireLog()
        try confirm(folder)
        let bar = ReplayBar(views: 1 + Views.projectionsWithTexts.count)
        let report: ErasureReport = try await Interruption.cancelling {
            defer { bar.finish() }
            switch try await FolderAccess.open(folder, command: command) {
            case .server(let client): return try await client.ask(.erase(request)) { bar.update($0) }
            case .alone(let lock):
                defer { lock.release() }
                return try await OpenFolder.with(folder, settings) { broker, views in
                    try await Erasing(folder: folder, broker: broker, views: views).run(request) { bar.update($0) }
                }
            }
        }
        if json {
            StandardOutput.print(try report.json())
        } else {
            report.lines(for: request).forEach { StandardOutput.print($0) }
        }
    }
}

extension ErasureReport {
    /// For people.
    func lines(for request: ErasureRequest) -> [String] {
        var lines: [String] = []
        if resumed { lines.append("an erasure that was interrupted before is done now") }
        if let offset {
            let events = erased == 1 ? "1 event" : "\(erased.grouped) events"
            lines.append("erased the payloads of \(events); the log says so up to offset \(offset)")
        } else {
            lines.append("nothing is left to erase: \(request.subject) was erased before")
        }
        guard rewritten else { return lines + leftLines }
        lines.append("wrote the log's file and the views with texts anew; the log has \(Int(logBytes).grouped) bytes")
        lines.append("copies of the data folder from before this, backups too, still hold what was erased")
        return lines + leftLines
    }

    private var leftLines: [String] {
        left.map { "\($0) may hold it too: remove it if no `quipu replay --verify` is running" }
    }

    /// For machines.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

extension ErasureRequest {
    fileprivate var subject: String {
        switch target {
        case .event(let offset): "event \(offset)"
        case .account: "the account"
        }
    }
}
