import Broker

/// A verifier key as it is named on the command line: its text, or a file that holds it.
struct VerifierKeyArgument {
    private static let maximumByteCount = 4096

    let text: String

    init(_ text: String) { self.text = text }

    /// The key.
    ///
    /// - Throws: ``CommandFailure`` with the status `usage` if it is none.
    func key() throws -> VerifierKey {
        // Names have no spaces, base 64 has slashes: a text with both pluses is rather a key than a path.
        guard text.split(separator: "+", maxSplits: 2).count < 3 else { return try Self.key(text, in: text) }
        let bytes: [UInt8]
        do {
            bytes = try InputFile(text).read(maximumByteCount: Self.maximumByteCount)
        } catch let failure as CommandFailure {
            throw CommandFailure("no verifier key is given: \(failure)", status: .usage)
        }
        let line = String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
        return try Self.key(line, in: text)
    }

    private static func key(_ text: String, in source: String) throws -> VerifierKey {
        guard !text.hasPrefix("PRIVATE+KEY+") else {
            throw CommandFailure(
                "that is a private key, which signs: quipu audit key prints the verifier key",
                status: .usage
            )
        }
        do {
            return try VerifierKey(text)
        } catch {
            throw CommandFailure("\(source.shownAsJSON) is no verifier key: \(error)", status: .usage)
        }
    }
}
