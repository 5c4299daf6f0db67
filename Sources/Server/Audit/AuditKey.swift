import Broker
import Cryptography
import Foundation

/// What signs the log's checkpoints: made on first start and kept in the data folder, readable by its owner only.
///
/// Its name is the log's origin, `quipu/<log id>`: what it signs can't be taken for another log's.
struct AuditKey: Sendable {
    /// The name of the file in the data folder; holds one line, `PRIVATE+KEY+…`, as Go's `note` package writes keys.
    static let fileName = "audit.key"

    let signingKey: SigningKey

    /// What an auditor needs; may be published.
    var verifierKey: VerifierKey { signingKey.verifierKey }

    /// Loads the key of the data folder, which holds the log `identity`; makes one if there is none.
    ///
    /// - Throws: ``SecretFileError`` if the file holds no key of this log, or others may read it; Foundation's errors
    ///   if it can't be read or written.
    init(folder: DataFolder, log identity: LogIdentity) throws {
        let origin = Self.origin(of: identity)
        let file = SecretFile(
            Self.fileName,
            in: folder.url,
            power: "sign checkpoints in the log's name",
            loss: "a new key is made at the next start, and auditors must be given its verifier key"
        )
        let bytes = try file.read {
            Array((SigningKey(name: origin, privateKey: .generate()).secretText + "\n").utf8)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.last == "\n" else { throw file.failure("doesn't hold one line") }
        do {
            signingKey = try SigningKey(secretText: String(text.dropLast()))
        } catch {
            throw file.failure("holds no key (\(error))")
        }
        guard verifierKey.name == origin else {
            throw file.failure("is the key of \(verifierKey.name), and the log is \(origin)")
        }
    }

    /// The name of the key of a log, and the first line of its checkpoints.
    static func origin(of identity: LogIdentity) -> NoteKeyName {
        guard let name = NoteKeyName("quipu/\(identity.id)") else { preconditionFailure("an id is a name") }
        return name
    }

    /// The signed checkpoint of the tree with this head, which must be one of the log's own.
    func checkpoint(of head: TreeHead) -> SignedNote {
        do {
            return try LogCheckpoint(origin: verifierKey.name, size: head.size, root: head.root).sign(with: signingKey)
        } catch {
            preconditionFailure("a checkpoint is a note: \(error)")
        }
    }
}
