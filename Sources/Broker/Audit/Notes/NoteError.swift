/// Why bytes are no signed note, or one that can't be trusted.
package enum NoteError: Error, Hashable, CustomStringConvertible {
    /// More bytes than ``SignedNote/maximumByteCount``.
    case tooLong(bytes: Int)
    /// The byte at this position belongs to no character.
    case notUTF8(at: Int)
    /// The byte at this position is a control character other than a line end.
    case controlCharacter(at: Int)
    /// The last line, or the text to be signed, doesn't end.
    case noFinalNewline
    /// No empty line parts the text from the signatures.
    case noEmptyLine
    /// Nothing follows the empty line.
    case noSignature
    /// More than ``SignedNote/maximumSignatureCount``.
    case tooManySignatures
    /// The signature, counted from 1, is not an em dash, a name, and the base 64 of a key's id and a signature, with a
    /// space between each.
    case malformedSignature(Int)
    /// Two different keys that the verifier knows have the same name and id.
    case ambiguousKey(String)
    /// A key that the verifier knows didn't sign this text, though the note says so.
    case invalidSignature(key: String)
    /// No key that the verifier knows signed.
    case noKnownSignature

    package var description: String {
        switch self {
        case .tooLong(let count): "\(count) bytes are too many for a note; the limit is \(SignedNote.maximumByteCount)"
        case .notUTF8(let position): "byte \(position) of the note isn't UTF-8"
        case .controlCharacter(let position): "byte \(position) of the note is a control character"
        case .noFinalNewline: "the note doesn't end with a line end"
        case .noEmptyLine: "the note has no empty line before its signatures"
        case .noSignature: "the note has no signature"
        case .tooManySignatures: "the note has over \(SignedNote.maximumSignatureCount) signatures"
        case .malformedSignature(let number): "signature \(number) of the note is malformed"
        case .ambiguousKey(let key): "two different keys go by \(key)"
        case .invalidSignature(let key): "the signature by \(key) is wrong: the note was changed, or never signed by it"
        case .noKnownSignature: "the note isn't signed by a known key"
        }
    }
}
