package import Broker
internal import Cryptography
internal import LMDB

/// A row of the table `messages`, little-endian but for ids: what an answer needs, ready-made.
///
/// | at | bytes | |
/// | --- | --- | --- |
/// | 0 | 8 | offset |
/// | 8 | 8 | time of sending, milliseconds since 1970 |
/// | 16 | 8 | time of the last change, the same at first |
/// | 24 | 16 | sender |
/// | 40 | 1 | flags: 1 deleted, 2 with a message id |
/// | 41 | 32 | commitment of the payload that the content is from |
/// | 73 | 4 | seal |
/// | 77 | 16 | hash of the client's message id, if flagged |
/// | 77 or 93 | | content, escaped for JSON, without quotes |
package struct MessageRow: ~Escapable {
    let bytes: Span<UInt8>

    static let sealPlace = 73
    static let bodyPlace = 77

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) throws {
        guard Self.isWellFormed(bytes) else { throw LMDBError.malformed("a row of messages") }
        self.bytes = bytes
    }

    static func isWellFormed(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= bodyPlace, bytes[40] <= 3 else { return false }
        return bytes[40] & 2 == 0 || bytes.count >= bodyPlace + Identifier.byteCount
    }

    /// The event that sent it.
    package var offset: Offset { bytes.littleEndian(at: 0) }
    /// When it was sent.
    package var milliseconds: UInt64 { bytes.littleEndian(at: 8) }
    /// When it was sent, edited or deleted, whichever came last.
    package var updatedMilliseconds: UInt64 { bytes.littleEndian(at: 16) }
    package var sender: AccountID { Identifier(bytes, at: 24) }
    /// A deleted message has no content.
    package var isDeleted: Bool { bytes[40] & 1 != 0 }

    /// The newest content as it stands between the quotes of a JSON string.
    package var contentJSON: Span<UInt8> {
        @_lifetime(copy self) get { bytes.extracting(contentPlace..<bytes.count) }
    }

    var contentPlace: Int { Self.bodyPlace + (bytes[40] & 2 == 0 ? 0 : Identifier.byteCount) }

    /// The hash of the client's own message id; nil if there was none.
    var idHash: Identifier? { bytes[40] & 2 == 0 ? nil : Identifier(bytes, at: Self.bodyPlace) }

    var head: Head {
        Head(
            offset: offset,
            milliseconds: milliseconds,
            updatedMilliseconds: updatedMilliseconds,
            sender: sender,
            isDeleted: isDeleted,
            idHash: idHash
        )
    }

    /// What a row says besides its content.
    struct Head {
        var offset: Offset
        var milliseconds: UInt64
        var updatedMilliseconds: UInt64
        var sender: AccountID
        var isDeleted = false
        var idHash: Identifier?

        /// Appends the row to `bytes`.
        ///
        /// - Parameters:
        ///   - key: The row's key, which the seal covers.
        ///   - commitment: 32 bytes.
        ///   - content: UTF-8, not escaped.
        func append(
            to bytes: inout [UInt8],
            key: Span<UInt8>,
            commitment: Span<UInt8>,
            content: Span<UInt8>
        ) {
            let start = bytes.count
            bytes.append(littleEndian: offset)
            bytes.append(littleEndian: milliseconds)
            bytes.append(littleEndian: updatedMilliseconds)
            bytes.append(bigEndian: sender.high)
            bytes.append(bigEndian: sender.low)
            bytes.append((isDeleted ? 1 : 0) | (idHash == nil ? 0 : 2))
            bytes.append(commitment)
            bytes.append(littleEndian: UInt32(0))
            idHash?.append(to: &bytes)
            JSONEscape.append(content, to: &bytes)
            let seal = Seal.compute(key, bytes.span.extracting(start..<bytes.count), at: MessageRow.sealPlace)
            bytes.overwrite(littleEndian: seal, at: start + MessageRow.sealPlace)
        }
    }
}
