import ArgumentParser
import Broker
import Cryptography
import Foundation
import Testing

@testable import Server

/// `quipu audit key`, `checkpoint`, `prove`, `consistency` and `verify`: what they make of a log and print.
struct AuditProofsTests {
    private let sample: SampleFolder
    private let prover: LogProver

    init() async throws {
        sample = try await SampleFolder()
        let log = try sample.log()
        prover = LogProver(log: log, key: try AuditKey(folder: sample.folder, log: log.identity))
    }

    private func verdict(_ file: [UInt8], keeping old: [UInt8]? = nil) -> FileVerdict {
        var verifier = AuditFileVerifier(key: prover.key.verifierKey)
        do {
            if let old { try verifier.keep(old) }
            return FileVerdict("f", try verifier.verify(file))
        } catch {
            return FileVerdict("f", error)
        }
    }

    private func lines(_ verdict: FileVerdict, asJSON: Bool = false) -> [String] {
        var bytes: [UInt8] = []
        verdict.append(asJSON: asJSON, to: &bytes)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `every event is proven, and no proof or verdict has a password's hash in it`() throws {
        for offset in 1...SampleFolder.head {
            let proof = try prover.proof(of: offset)
            let verdict = verdict(proof.encode())
            #expect(verdict.outcome == .verified)
            #expect(!String(decoding: proof.extra, as: UTF8.self).contains("secretsecret"))
            for asJSON in [true, false] {
                #expect(!lines(verdict, asJSON: asJSON).joined().contains("secretsecret"))
            }
        }
    }

    @Test func `the verdict on a proof shows the event, and nothing in it reaches the terminal as a command`() throws {
        let lines = lines(verdict(try prover.proof(of: 4).encode()))
        let head = try prover.log.treeHead()
        #expect(lines.first == "f: verified: event 4 is in the log, as shown here")
        #expect(lines.contains("  time     2026-01-01T00:00:03.000Z"))
        #expect(lines.contains("  type     MessageSent"))
        #expect(lines.contains { $0.hasSuffix(#": hello, "bob"\r\n\u{1B}[31mred\u{202E} \\o/"#) })
        #expect(lines.contains("  log      quipu/\(prover.log.identity.id)"))
        #expect(lines.last == "  tree     15 events, root \(head.root.base64)")
        let secret = self.lines(verdict(try prover.proof(of: 1).encode()))
        #expect(secret.contains("  what     (not shown: it holds a secret)"))
    }

    @Test func `the verdict as JSON has the event as audit list has it`() throws {
        let verdict = verdict(try prover.proof(of: 15).encode())
        let line = try #require(lines(verdict, asJSON: true).first)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(json["result"] as? String == "verified")
        #expect(json["size"] as? Int == 15)
        let event = try #require(json["event"] as? [String: Any])
        #expect(event["offset"] as? Int == 15)
        #expect(event["content"] as? String == "from a guest")
        #expect(event["id"] as? String == "m-1")
    }

    @Test func `the log continues every checkpoint that it had`() throws {
        let now = try prover.checkpoint().encode()
        for size in 0...UInt64(SampleFolder.head) {
            let note = prover.key.checkpoint(of: try prover.log.treeHead(at: size))
            let proof = try prover.consistency(from: LogCheckpoint(text: note.text)).encode()
            let verdict = verdict(proof, keeping: note.encode())
            #expect(verdict.outcome == .verified && verdict.isContinuation)
            #expect(self.verdict(proof, keeping: now).outcome == (size == SampleFolder.head ? .verified : .refuted))
            #expect(self.verdict(proof).outcome == .unknown)
        }
    }

    @Test func `a checkpoint that the log doesn't continue is told with the reason`() throws {
        let origin = prover.key.verifierKey.name
        let root = try prover.log.treeHead(at: 14).root
        let longer = LogCheckpoint(origin: origin, size: 16, root: root)
        #expect(throws: Discontinuity.shorter(size: 15, oldSize: 16)) { try prover.consistency(from: longer) }
        let other = LogCheckpoint(origin: origin, size: 15, root: root)
        #expect(throws: Discontinuity.rewritten(oldSize: 15)) { try prover.consistency(from: other) }
        #expect(CommandFailure(auditing: Discontinuity.rewritten(oldSize: 15)).status == .failure)
    }

    @Test(
        arguments: [
            (TreeError.hashesAltered, .failure), (TreeError.eventAltered(3), .failure),
            (TreeError.eventsMissing(head: 3, size: 5), .failure), (TreeError.incomplete(size: 3, head: 5), .usage),
            (AuditFileError.noEvent, .usage), (AuditFileError.contradiction(size: 3), .failure),
            (CommandFailure("the output can't be written"), .usage), (CancellationError(), .usage),
        ] as [(any Error, CommandFailure.Status)]
    )
    func `only what refutes ends with 1`(error: any Error, status: CommandFailure.Status) {
        #expect(CommandFailure(auditing: error).status == status)
    }

    @Test func `a key is given as its text or in a file, and never a private one`() throws {
        let key = prover.key.verifierKey
        #expect(try VerifierKeyArgument(key.description).key() == key)
        let path = sample.folder.path + "/vkey"
        for text in [key.description, key.description + "\n"] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            #expect(try VerifierKeyArgument(path).key() == key)
        }
        let secret = sample.folder.path + "/" + AuditKey.fileName
        for wrong in [secret, sample.folder.path, path + "-not-there", "", "a+b", key.description + "\n"] {
            let failure = #expect(throws: CommandFailure.self) { try VerifierKeyArgument(wrong).key() }
            #expect(failure?.status == .usage)
            #expect(failure?.message.contains(prover.key.signingKey.secretText) == false)
        }
    }

    @Test(arguments: [
        "prove", "prove x", "prove 0", "prove 1 2", "prove 1 --out", "consistency", "consistency a b", "key a",
        "checkpoint a", "verify a", "verify a --key k --data d", "verify --old o",
        "verify --witness w", "verify a --key k --checkpoint c", "verify a --key k --log-only",
    ])
    func `what makes no sense ends with 2`(line: String) {
        #expect(Self.ending(of: line)?.status == .usage)
    }

    @Test(arguments: ["key", "checkpoint", "prove", "consistency", "verify"])
    func `its help has examples that fit a terminal`(line: String) throws {
        let help = try #require(Self.ending(of: line + " --help"))
        #expect(help.status == .success)
        let examples = help.text.split(separator: "\n").filter { $0.hasPrefix("  quipu audit ") }
        #expect(examples.count >= 2)
        #expect(examples.allSatisfy { $0.count <= 80 && !$0.hasSuffix("--key") })
    }

    private static func ending(of line: String) -> (text: String, status: CommandFailure.Status)? {
        do {
            var command = try AuditCommand.parseAsRoot(line.split(separator: " ").map(String.init))
            // Help is a command to the parser; the others ran if it took what makes no sense.
            if !(command is any AsyncParsableCommand) { try command.run() }
            return nil
        } catch {
            return CommandLineEntry.ending(for: error, root: AuditCommand.self)
        }
    }
}
