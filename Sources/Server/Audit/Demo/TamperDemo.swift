import Broker
import Cryptography
import Foundation
import Projections

/// `quipu audit demo tamper`: each attack on a copy of its own, and what `quipu audit verify` says of it.
struct TamperDemo: Sendable {
    /// The log that is copied; nil: a sample is made.
    let source: DataFolder?
    /// Where the copies are made; must not be there, or be empty.
    let work: String
    /// Whether they are left there.
    let keepsCopies: Bool
    /// The program that verifies: this one.
    var program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()

    private static let checkpointName = "checkpoint.txt"
    private static let forgedName = "forged.txt"
    /// How many messages are cut off.
    private static let newestCount = 10

    func run(_ tell: (TamperResult) throws -> Void) async throws -> Bool {
        let files = FileManager.default
        try files.createDirectory(atPath: work, withIntermediateDirectories: true)
        guard try files.contentsOfDirectory(atPath: work).isEmpty else {
            throw CommandFailure("\(work) isn't empty: name another folder with --keep", status: .usage)
        }
        let log: EventLog
        if let source {
            log = try EventLog(directory: source.log, isReadOnly: true)
        } else {
            let scratch = work + "/sample-views"
            log = try await SampleLog.make(in: work + "/sample/log", scratch: scratch)
            try files.removeItem(atPath: scratch)
        }
        // Never the log's own: what is signed here wasn't verified.
        let key = SigningKey(name: AuditKey.origin(of: log.identity), privateKey: .generate())
        let head = try log.treeHead()
        try Self.sign(head, with: key, into: "\(work)/\(Self.checkpointName)")
        let messages = try Self.messages(of: log, upTo: head.size)
        var allCaught = true
        for (index, attack) in TamperAttack.all.enumerated() {
            try Task.checkCancellation()
            let folder = DataFolder("\(work)/\(index + 1)")
            try folder.make()
            let copy = try LogCopy(of: log, in: folder.log)
            try Self.write(key, into: folder)
            let middle = messages.count / 2
            let target = TamperAttack.Target(
                folder: folder,
                log: copy,
                messages: (messages[middle - 1], messages[middle], messages[middle + 1]),
                newest: messages[max(middle + 2, messages.count - Self.newestCount)],
                head: head.size,
                makeView: { try Self.makeView(in: folder) },
                forge: { try Self.forge(in: folder) }
            )
            var result = TamperResult(number: index + 1, attack: attack, done: try attack.perform(target))
            for look in attack.looks { result.add(look, try verify(folder, look, key.verifierKey)) }
            allCaught = allCaught && result.isCaught
            try tell(result)
            if !keepsCopies { try files.removeItem(atPath: folder.path) }
        }
        return allCaught
    }

    /// Runs the command as an auditor would.
    private func verify(_ folder: DataFolder, _ look: TamperAttack.Look, _ key: VerifierKey) throws -> TamperResult.Run
    {
        var arguments = ["audit", "verify", "--data", folder.path]
        if look.options.contains(.oldCheckpoint) { arguments += ["--checkpoint", "\(work)/\(Self.checkpointName)"] }
        if look.options.contains(.forgedCheckpoint) {
            arguments += ["--checkpoint", "\(folder.path)/\(Self.forgedName)"]
        }
        if look.options.contains(.key) { arguments += ["--key", key.description] }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return TamperResult.Run(
            command: (["quipu"] + arguments).joined(separator: " "),
            wasKilled: process.terminationReason == .uncaughtSignal,
            code: process.terminationStatus,
            printed: String(decoding: printed, as: UTF8.self)
        )
    }

    // MARK: What attacks need

    /// The offsets of the messages whose text is there.
    private static func messages(of log: EventLog, upTo head: Offset) throws -> [Offset] {
        var messages: [Offset] = []
        try log.forEach(in: 1...max(head, 1)) { record in
            if record.header.type == .messageSent, !record.isRedacted, !record.payload.isEmpty {
                messages.append(record.offset)
            }
            return true
        }
        guard messages.count >= 6 else {
            throw CommandFailure("the log has \(messages.count) messages, too few to be tampered with; 6 will do")
        }
        return messages
    }

    private static func makeView(in folder: DataFolder) throws -> ViewCopy {
        guard let projection = Views.projection(named: "conversations") else {
            preconditionFailure("there is such a view")
        }
        return try ViewCopy(of: projection, from: EventLog(directory: folder.log, isReadOnly: true), in: folder.path)
    }

    /// Puts another key of the same name in the folder, and signs the tree that is there now.
    private static func forge(in folder: DataFolder) throws -> String {
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        let key = SigningKey(name: AuditKey.origin(of: log.identity), privateKey: .generate())
        try write(key, into: folder)
        try sign(log.treeHead(), with: key, into: "\(folder.path)/\(forgedName)")
        return forgedName
    }

    private static func sign(_ head: TreeHead, with key: SigningKey, into file: String) throws {
        let checkpoint = LogCheckpoint(origin: key.verifierKey.name, size: head.size, root: head.root)
        try Data(checkpoint.sign(with: key).encode()).write(to: URL(fileURLWithPath: file))
    }

    private static func write(_ key: SigningKey, into folder: DataFolder) throws {
        let path = "\(folder.path)/\(AuditKey.fileName)"
        try Data((key.secretText + "\n").utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}
