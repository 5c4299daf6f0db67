/// A file that an auditor was given, told by its first line.
///
/// | first line | what it is |
/// | --- | --- |
/// | `c2sp.org/tlog-proof@v1` | a proof that an event is in the log (C2SP tlog-proof) |
/// | `old 100` | a proof that the log continues its first 100 events (the body of C2SP tlog-witness' add-checkpoint) |
/// | anything else, then a number and a root | a checkpoint (C2SP tlog-checkpoint) |
package enum AuditFile: Hashable, Sendable {
    case proof(TlogProof)
    case consistency(TlogConsistency)
    case checkpoint(SignedNote)

    /// The longest file in bytes.
    package static let maximumByteCount = TlogProof.maximumByteCount

    /// Reads a file.
    ///
    /// - Parameter origin: The log that it should be of: what begins with its name is meant to be a checkpoint of it.
    /// - Throws: ``AuditFileError``.
    init(_ bytes: [UInt8], of origin: NoteKeyName) throws(AuditFileError) {
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        if line.elementsEqual(TlogProof.header.utf8) {
            do {
                self = .proof(try TlogProof(bytes))
            } catch {
                throw .proof(error)
            }
        } else if line.starts(with: "old ".utf8) {
            do {
                self = .consistency(try TlogConsistency(bytes))
            } catch {
                throw .consistency(error)
            }
        } else {
            self = .checkpoint(try Self.note(bytes, of: origin))
        }
    }

    /// Reads a signed checkpoint.
    static func note(_ bytes: [UInt8], of origin: NoteKeyName) throws(AuditFileError) -> SignedNote {
        do {
            return try note(bytes)
        } catch {
            // Any text has a first line: only the log's name on it is a claim that can be refuted.
            let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
            throw line.elementsEqual(origin.utf8) ? .checkpoint(error) : .unknownForm
        }
    }

    private static func note(_ bytes: [UInt8]) throws(CheckpointError) -> SignedNote {
        let note: SignedNote
        do {
            note = try SignedNote(bytes)
        } catch {
            throw .note(error)
        }
        _ = try LogCheckpoint(text: note.text)
        return note
    }
}
