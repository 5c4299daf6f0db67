import Foundation

/// The folder that holds everything a server keeps, and where in it each thing is.
///
/// ```
/// data/log/                 the events; the only thing that can't be made again
/// data/views/users-v1/      one folder for each view and version
/// data/token.key            what signs tokens
/// data/audit.key            what signs checkpoints
/// data/control.sock         where the running server takes commands
/// data/lock                 who has the folder
/// data/erasing              there while something is erased, see ``ErasureMark``
/// ```
struct DataFolder: Hashable, Sendable {
    /// Without a slash at its end.
    let path: String

    init(_ path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    var url: URL { URL(fileURLWithPath: path, isDirectory: true) }
    var log: String { path + "/log" }
    var views: String { path + "/views" }
    var controlSocket: String { path + "/" + Self.controlSocketName }
    var lock: String { path + "/lock" }
    var erasing: String { path + "/erasing" }

    static let controlSocketName = "control.sock"

    /// The folder of a view.
    func view(_ name: String, version: Int) -> String { "\(views)/\(name)-v\(version)" }

    /// Whether a log was ever made here.
    var hasLog: Bool { FileManager.default.fileExists(atPath: log + "/data.mdb") }

    /// Makes the folder if it isn't there; what is in it is nobody else's business, so only its owner may enter.
    ///
    /// - Throws: ``CommandFailure`` if it can't be made.
    func make() throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw CommandFailure("the data folder \(path) can't be made: \(error.shortDescription)")
        }
    }

    /// - Throws: ``CommandFailure`` if there is no log here.
    func requireLog() throws {
        guard hasLog else {
            throw CommandFailure(
                "there is no log in \(path): name the server's data folder with --data",
                status: .usage
            )
        }
    }
}

extension Error {
    /// What a person should read of it; Foundation's errors print their domain and code otherwise.
    var shortDescription: String {
        if let error = self as? CocoaError {
            return (error.underlying as? POSIXError).map { $0.localizedDescription } ?? error.localizedDescription
        }
        return String(describing: self)
    }
}
