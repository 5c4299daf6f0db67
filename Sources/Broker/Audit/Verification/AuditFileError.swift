/// Why a file that an auditor was given proves nothing.
package enum AuditFileError: Error, Equatable, CustomStringConvertible {
    /// None of the forms of ``AuditFile``.
    case unknownForm
    case proof(TlogProofError)
    case consistency(TlogConsistencyError)
    case checkpoint(CheckpointError)
    /// The proof is of an event that it doesn't bring along.
    case noEvent
    /// What the proof brings along is no event, or not one that can be shown.
    case event(RecordError)
    /// The proof of consistency begins at a checkpoint of so many events, and nobody has given one.
    case noOlderCheckpoint(size: UInt64)
    /// A witness that was asked for didn't sign.
    case notCosigned(witness: String)
    /// The log signed another checkpoint of as many events.
    case contradiction(size: UInt64)

    /// Whether something was claimed that isn't so; otherwise it can't be told.
    package var isRefutation: Bool {
        switch self {
        case .unknownForm, .noEvent, .noOlderCheckpoint: false
        case .event(let error):
            switch error {
            case .truncated, .checksum, .missing: true
            // A newer version wrote it, or a faulty one: what it says can't be told.
            case .unknownFormat, .unknownType, .unknownVersion, .unknownPayloadClass, .payload: false
            }
        case .proof, .consistency, .checkpoint, .notCosigned, .contradiction: true
        }
    }

    package var description: String {
        switch self {
        case .unknownForm: "this is no proof, no proof of consistency and no checkpoint, or its first line was changed"
        case .proof(let error): error.description
        case .consistency(let error): error.description
        case .checkpoint(let error): error.description
        case .noEvent: "the proof has no line 'extra' with the event, so what it proves can't be told"
        case .event(.checksum), .event(.truncated): "the event in the proof is damaged"
        case .event(let error): "the event can't be shown: \(error)"
        case .noOlderCheckpoint(let size):
            "a proof of consistency is verified against the older checkpoint, of \(size) events: give it with --old"
        case .notCosigned(let witness): "the checkpoint isn't signed by the witness \(witness)"
        case .contradiction(let size):
            "the log signed another root for the same \(size) events: it has shown two different histories"
        }
    }
}
