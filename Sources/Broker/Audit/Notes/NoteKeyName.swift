/// The name of a key that signs notes: not empty, no Unicode spaces, no plus, no control characters (C2SP signed-note).
///
/// A URL without its scheme, as a rule: `log.example/chat-1`. Two names are one when their bytes are equal.
package struct NoteKeyName: Hashable, Sendable, CustomStringConvertible {
    package let utf8: [UInt8]

    /// Takes a name from a note or a key.
    ///
    /// - Returns: Nil if it is no name.
    package init?(utf8: some Collection<UInt8>) {
        guard let text = String(validating: utf8, as: UTF8.self), !text.isEmpty else { return nil }
        for scalar in text.unicodeScalars {
            guard !scalar.properties.isWhitespace, scalar != "+", scalar.value >= 0x20 else { return nil }
        }
        self.utf8 = Array(utf8)
    }

    /// Takes a name as people write it.
    ///
    /// - Returns: Nil if it is no name.
    package init?(_ text: String) { self.init(utf8: Array(text.utf8)) }

    package var description: String { String(decoding: utf8, as: UTF8.self) }
}
