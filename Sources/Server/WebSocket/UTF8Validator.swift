/// Checks UTF-8 that arrives in pieces, which may end within a character.
///
/// The standard library's check wants all of a text at once; a fragmented message is refused at the end of the first
/// fragment that can't become UTF-8 any more. Source: the Unicode Standard, table 3-7.
struct UTF8Validator {
    /// How many bytes the character under way still lacks.
    private var missing = 0
    /// What the next of them may be.
    private var allowed: ClosedRange<UInt8> = 0x80...0xbf

    /// Whether what came so far ends with a whole character.
    var isComplete: Bool { missing == 0 }

    /// Takes the next piece.
    ///
    /// - Returns: False if what came so far is not the beginning of any UTF-8; the validator is of no use then.
    mutating func consume(_ piece: borrowing Span<UInt8>) -> Bool {
        var index = 0
        while missing > 0, index < piece.count {
            guard allowed.contains(piece[index]) else { return false }
            allowed = 0x80...0xbf
            missing -= 1
            index += 1
        }
        while index < piece.count {
            if index <= piece.count &- 8, piece.word(at: index) & 0x8080_8080_8080_8080 == 0 {
                index &+= 8
                continue
            }
            let lead = piece[index]
            index &+= 1
            if lead < 0x80 { continue }
            guard begin(lead) else { return false }
            while missing > 0, index < piece.count {
                guard allowed.contains(piece[index]) else { return false }
                allowed = 0x80...0xbf
                missing &-= 1
                index &+= 1
            }
        }
        return true
    }

    /// Takes the first byte of a character of more than one.
    private mutating func begin(_ lead: UInt8) -> Bool {
        switch lead {
        case 0xc2...0xdf: missing = 1
        case 0xe0: (missing, allowed) = (2, 0xa0...0xbf)
        // U+D800 to U+DFFF are halves of UTF-16, no characters.
        case 0xed: (missing, allowed) = (2, 0x80...0x9f)
        case 0xe1...0xef: missing = 2
        case 0xf0: (missing, allowed) = (3, 0x90...0xbf)
        case 0xf1...0xf3: missing = 3
        case 0xf4: (missing, allowed) = (3, 0x80...0x8f)
        default: return false
        }
        return true
    }
}
