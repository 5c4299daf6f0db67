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
/// | 40 | 1 | flags, see ``Flags`` |
/// | 41 | 32 | commitment of the payload that the content is from |
/// | 73 | 4 | seal |
/// | 77 | 16 | hash of the client's message id, if flagged |
/// | | 8 | offset of the newest edit, if flagged |
/// | | | content, escaped for JSON, without quotes |
package struct MessageRow: ~Escapable {
    /// What a row is besides its fields.
    ///
    /// Those of redaction follow from the payloads that are gone from the log, and therefore are no part of a digest,
    /// which must come out the same from a log before and after a redaction.
    struct Flags: OptionSet {
        var rawValue: UInt8

        static let deleted = Flags(rawValue: 1)
        static let hasID = Flags(rawValue: 2)
        static let edited = Flags(rawValue: 4)
        /// The payload of the message itself is redacted: it shows nothing any more, whatever it was edited to.
        static let redacted = Flags(rawValue: 8)
        /// That of the newest edit is.
        static let editRedacted = Flags(rawValue: 16)

        /// Those that a digest covers.
        static let digested: Flags = [.deleted, .edited]
        static let known: Flags = [.deleted, .hasID, .edited, .redacted, .editRedacted]
    }

    let bytes: Span<UInt8>
    let flags: Flags

    // Read once, because an answer looks at some of it more than once, and each look would be a call.

    /// The event that sent it.
    package let offset: Offset
    /// When it was sent.
    package let milliseconds: UInt64
    /// When it was sent, edited or deleted, whichever came last.
    package let updatedMilliseconds: UInt64
    package let sender: AccountID
    /// A deleted message has no content.
    package let isDeleted: Bool
    /// A message whose content was erased has none either.
    package let isRedacted: Bool
    /// The newest content as it stands between the quotes of a JSON string.
    package let contentJSON: Span<UInt8>

    static let flagsPlace = 40
    static let sealPlace = 73
    static let bodyPlace = 77

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) throws {
        guard Self.isWellFormed(bytes) else { throw LMDBError.malformed("a row of messages") }
        self.bytes = bytes
        flags = Flags(rawValue: bytes[Self.flagsPlace])
        offset = bytes.littleEndian(at: 0)
        milliseconds = bytes.littleEndian(at: 8)
        updatedMilliseconds = bytes.littleEndian(at: 16)
        sender = Identifier(bytes, at: 24)
        isDeleted = flags.contains(.deleted)
        isRedacted = !flags.isDisjoint(with: [.redacted, .editRedacted])
        contentJSON = bytes.extracting(Self.contentPlace(flags)..<bytes.count)
    }

    static func isWellFormed(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= bodyPlace else { return false }
        let flags = Flags(rawValue: bytes[flagsPlace])
        return flags.isSubset(of: .known) && bytes.count >= contentPlace(flags)
    }

    private static func contentPlace(_ flags: Flags) -> Int { editPlace(flags) + (flags.contains(.edited) ? 8 : 0) }

    private static func editPlace(_ flags: Flags) -> Int {
        bodyPlace + (flags.contains(.hasID) ? Identifier.byteCount : 0)
    }

    /// The event that the content is from, if it isn't the one that sent it; 0 if it is.
    package var editOffset: Offset {
        flags.contains(.edited) ? bytes.littleEndian(at: Self.editPlace(flags)) : 0
    }

    /// 32 bytes.
    var commitment: Span<UInt8> {
        @_lifetime(copy self) get { bytes.extracting(Self.flagsPlace + 1..<Self.sealPlace) }
    }

    /// The hash of the client's own message id; nil if there was none, or the message is redacted.
    var idHash: Identifier? { flags.contains(.hasID) ? Identifier(bytes, at: Self.bodyPlace) : nil }

    var head: Head {
        Head(
            offset: offset,
            milliseconds: milliseconds,
            updatedMilliseconds: updatedMilliseconds,
            sender: sender,
            flags: flags,
            idHash: idHash,
            editOffset: editOffset
        )
    }

    /// What a row says besides its content.
    struct Head {
        var offset: Offset
        var milliseconds: UInt64
        var updatedMilliseconds: UInt64
        var sender: AccountID
        /// Without those that say what fields there are.
        var flags: Flags = []
        var idHash: Identifier?
        /// 0 for none.
        var editOffset: Offset = 0

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
            var flags = flags.subtracting([.hasID, .edited])
            if idHash != nil { flags.insert(.hasID) }
            if editOffset != 0 { flags.insert(.edited) }
            let start = bytes.count
            bytes.append(littleEndian: [
                offset, milliseconds, updatedMilliseconds, sender.high.byteSwapped, sender.low.byteSwapped,
            ])
            bytes.append(flags.rawValue)
            bytes.append(commitment)
            bytes.append(littleEndian: UInt32(0))
            idHash?.append(to: &bytes)
            if editOffset != 0 { bytes.append(littleEndian: editOffset) }
            JSONEscape.append(content, to: &bytes)
            let seal = Seal.compute(key, bytes.span.extracting(start..<bytes.count), at: MessageRow.sealPlace)
            bytes.overwrite(littleEndian: seal, at: start + MessageRow.sealPlace)
        }
    }
}
