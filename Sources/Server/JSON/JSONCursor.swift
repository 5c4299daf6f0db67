/// A place in a JSON text (RFC 8259), and the ways to go on from there.
///
/// It recurses nowhere and allocates only for a string that is asked for, so that no text, however long or deeply
/// nested, costs more than one pass over it.
struct JSONCursor: ~Escapable {
    /// How deep arrays and objects may lie in each other; one word holds what each of them is.
    static let maximumDepth = 64

    let bytes: Span<UInt8>
    var position = 0

    /// Begins at the first byte of `utf8`, which must be well-formed UTF-8.
    @_lifetime(copy utf8)
    init(_ utf8: Span<UInt8>) {
        bytes = utf8
    }

    /// The next byte that is no white space, not yet taken; nil at the end.
    @inline(__always)
    mutating func next() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
            position &+= 1
        }
        return nil
    }

    /// Takes `byte`, after white space, if it comes next.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard next() == byte else { return false }
        position &+= 1
        return true
    }

    /// Takes `byte`, after white space, which must come next.
    @inline(__always)
    mutating func expect(_ byte: UInt8) throws(BadRequest) {
        guard take(byte) else { throw .notJSON("'\(Unicode.Scalar(byte))'", at: position) }
    }
}
