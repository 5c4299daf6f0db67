/// A text and who signed it (C2SP signed-note).
///
/// ```swift
/// let note = try SignedNote(bytes)
/// let signatures = try note.verify(with: [try VerifierKey("log.example/chat-1+e5daba64+AYZo…")])
/// ```
///
/// What the text says counts for nothing until ``verify(with:)`` has returned.
package struct SignedNote: Hashable, Sendable {
    /// The longest note in bytes: room for a hundred signatures of any known algorithm.
    package static let maximumByteCount = 1 << 20
    package static let maximumSignatureCount = 100

    /// UTF-8 that ends with a line end; without the empty line before the signatures.
    package let text: [UInt8]
    /// In the order of the note, whether their keys are known or not; at least one.
    package let signatures: [NoteSignature]

    /// Signs `text`, UTF-8 that ends with a line end and has no other control character.
    ///
    /// - Parameters:
    ///   - text: What is signed.
    ///   - keys: At least one.
    /// - Throws: ``NoteError`` if the text can't be signed.
    package init(signing text: [UInt8], with keys: [SigningKey]) throws(NoteError) {
        precondition(1...Self.maximumSignatureCount ~= keys.count, "a note has 1 to 100 signatures")
        try Self.check(text)
        self.text = text
        signatures = keys.map { $0.sign(text) }
    }

    /// Reads a note; ``encode()`` gives the same bytes again.
    ///
    /// - Throws: ``NoteError`` if it isn't one.
    package init(_ note: [UInt8]) throws(NoteError) {
        try Self.check(note)
        let newline = UInt8(ascii: "\n")
        // A text may have empty lines, signatures may not: the last one is it.
        guard let end = note.indices.dropFirst().last(where: { note[$0] == newline && note[$0 - 1] == newline }) else {
            throw .noEmptyLine
        }
        text = Array(note[..<end])
        guard end + 1 < note.count else { throw .noSignature }
        let lines = note[(end + 1)...].dropLast()
            .split(separator: newline, maxSplits: Self.maximumSignatureCount, omittingEmptySubsequences: false)
        guard lines.count <= Self.maximumSignatureCount else { throw .tooManySignatures }
        var signatures: [NoteSignature] = []
        for line in lines {
            guard let signature = NoteSignature(line: line) else { throw .malformedSignature(signatures.count + 1) }
            signatures.append(signature)
        }
        self.signatures = signatures
    }

    /// The note's bytes.
    package func encode() -> [UInt8] {
        signatures.reduce(text + [UInt8(ascii: "\n")]) { $0 + $1.line + [UInt8(ascii: "\n")] }
    }

    /// Verifies every signature whose key is among `keys`, and ignores the others.
    ///
    /// - Returns: Those signatures, at least one, in the order of the note.
    /// - Throws: ``NoteError/noKnownSignature`` if there is none; ``NoteError/invalidSignature(key:)`` if one is wrong,
    ///   whatever the others are.
    package func verify(with keys: [VerifierKey]) throws(NoteError) -> [VerifiedSignature] {
        var verified: [VerifiedSignature] = []
        for signature in signatures {
            let known = keys.filter { $0.name == signature.name && $0.id == signature.id }
            guard let key = known.first else { continue }
            guard known.allSatisfy({ $0 == key }) else { throw .ambiguousKey(key.title) }
            guard let result = key.verify(signature, of: text) else { throw .invalidSignature(key: key.title) }
            verified.append(result)
        }
        guard !verified.isEmpty else { throw .noKnownSignature }
        return verified
    }

    /// What holds for a note and its text alike.
    private static func check(_ bytes: [UInt8]) throws(NoteError) {
        guard bytes.count <= maximumByteCount else { throw .tooLong(bytes: bytes.count) }
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw .notUTF8(at: error.byteOffsets.lowerBound)
        }
        if let position = bytes.firstIndex(where: { $0 < 0x20 && $0 != UInt8(ascii: "\n") }) {
            throw .controlCharacter(at: position)
        }
        guard bytes.last == UInt8(ascii: "\n") else { throw .noFinalNewline }
    }
}
