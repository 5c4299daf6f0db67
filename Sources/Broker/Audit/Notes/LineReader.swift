internal import Cryptography

/// Takes a text apart line by line, and counts the lines, so that an error can say where.
struct LineReader {
    /// What has not been read.
    private(set) var rest: ArraySlice<UInt8>
    /// The number of the line that was read last, from 1; 0 before the first.
    private(set) var line = 0

    init(_ text: [UInt8]) { rest = text[...] }

    /// The next line without its line end.
    ///
    /// - Returns: Nil if no line with an end is left.
    mutating func next() -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { rest = rest[(end + 1)...] }
        line += 1
        return rest[..<end]
    }

    /// What follows `word` and a space in the next line, which is left unread if it begins otherwise.
    mutating func next(after word: String) -> ArraySlice<UInt8>? {
        let prefix = Array((word + " ").utf8)
        guard rest.starts(with: prefix) else { return nil }
        return next()?.dropFirst(prefix.count)
    }

    /// Reads lines with a hash each, up to an empty line and including it.
    ///
    /// - Throws: ``HashLinesError``.
    mutating func nextHashes() throws(HashLinesError) -> [Digest] {
        var hashes: [Digest] = []
        while let text = next() {
            if text.isEmpty { return hashes }
            // A tree of at most 2^63 - 1 leaves needs no more.
            guard hashes.count < 63, let hash = Digest(base64: text) else { throw .malformed(line: line) }
            hashes.append(hash)
        }
        throw .noEmptyLine
    }
}

/// Why lines are not the hashes of a proof.
package enum HashLinesError: Error, Hashable, CustomStringConvertible {
    /// The line is no hash in base 64, or the 64th of them.
    case malformed(line: Int)
    /// No empty line ends them.
    case noEmptyLine

    package var description: String {
        switch self {
        case .malformed(let line): "line \(line) is no hash in base 64, or one more than any tree needs"
        case .noEmptyLine: "no empty line follows the hashes"
        }
    }
}
