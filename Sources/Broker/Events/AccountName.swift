internal import Foundation
internal import LMDB

/// The name that an account goes by: 1 to 64 bytes of UTF-8 in Unicode normalization form C, without control
/// characters, `/` and `->`, and not `Server`.
///
/// Two names are one when their bytes are equal. Swift's `String` compares by canonical equivalence, which would merge
/// what bytes keep apart, so it is never a key.
package struct AccountName: Hashable, Sendable, CustomStringConvertible {
    /// The most bytes of a name; the log's table of names and the wire protocol rest on it.
    package static let maximumByteCount = 64

    package let utf8: [UInt8]

    /// Why a text is no name of an account.
    package enum Invalid: Error, Equatable, CustomStringConvertible {
        case empty, tooLong, notNormalized, forbiddenCharacter, reserved

        package var description: String {
            switch self {
            case .empty: "an account name must not be empty"
            case .tooLong: "an account name may have \(maximumByteCount) bytes of UTF-8 at most"
            case .notNormalized: "an account name must be in Unicode normalization form C (NFC)"
            case .forbiddenCharacter: "an account name must not contain control characters, '/' or '->'"
            case .reserved: "the account name 'Server' is reserved"
            }
        }
    }

    /// Checks `text`.
    package init(_ text: String) throws(Invalid) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= Self.maximumByteCount else { throw .tooLong }
        if bytes.contains(where: { $0 >= 0x80 }) {
            // `==` on strings can't tell the forms apart; their bytes can.
            guard Array(text.precomposedStringWithCanonicalMapping.utf8) == bytes else { throw .notNormalized }
        }
        for scalar in text.unicodeScalars where scalar == "/" || Self.isControl(scalar) { throw .forbiddenCharacter }
        for index in bytes.indices.dropLast()
        where bytes[index] == UInt8(ascii: "-") && bytes[index + 1] == UInt8(ascii: ">") {
            throw .forbiddenCharacter
        }
        guard text != "Server" else { throw .reserved }
        utf8 = bytes
    }

    /// General category Cc, which Unicode has promised never to change; asking the library's tables costs more than all
    /// the rest.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    }

    /// A name that was checked when it went into the log.
    package init(trusting utf8: [UInt8]) { self.utf8 = utf8 }

    package var text: String { String(decoding: utf8, as: UTF8.self) }
    package var description: String { text }
}
