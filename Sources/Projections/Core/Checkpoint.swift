package import Broker
package import Cryptography
internal import LMDB

/// How far a view has come, and on which log: written in the same transaction as the change it stands for, so that each
/// event counts exactly once.
package struct Checkpoint: Equatable, Sendable {
    /// Which log.
    package var log: LogIdentity
    /// The last event that the view reflects; 0 for none.
    package var offset: Offset
    /// The hash of that event's leaf, which no other log has at that place; nil at offset 0.
    package var leafHash: Digest?

    static let layoutVersion: UInt8 = 1
    private static let byteCount = 65

    init(log: LogIdentity, offset: Offset, leafHash: Digest?) {
        self.log = log
        self.offset = offset
        self.leafHash = leafHash
    }

    /// Reads what ``append(to:)`` wrote.
    ///
    /// - Returns: Nil if this version can't read it.
    init?(_ bytes: Span<UInt8>) {
        guard let offset = Self.offset(of: bytes) else { return nil }
        log = LogIdentity(id: Identifier(bytes, at: 1), epoch: bytes.littleEndian(at: 17))
        self.offset = offset
        leafHash = offset == 0 ? nil : Digest(bytes.extracting(33..<65))
    }

    /// The offset alone, which every query wants.
    ///
    /// - Returns: Nil if this version can't read what is there.
    static func offset(of bytes: Span<UInt8>) -> Offset? {
        guard bytes.count == byteCount, bytes[0] == layoutVersion else { return nil }
        return bytes.littleEndian(at: 25)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(Self.layoutVersion)
        log.id.append(to: &bytes)
        bytes.append(littleEndian: log.epoch)
        bytes.append(littleEndian: offset)
        if let leafHash {
            bytes.append(leafHash.bytes.span)
        } else {
            bytes.append(contentsOf: repeatElement(0, count: Digest.byteCount))
        }
    }

    /// Why this checkpoint isn't on `log`; nil if it is.
    func reasonNotOn(_ log: EventLog) throws -> String? {
        guard self.log.id == log.identity.id else { return "it belongs to another log" }
        guard self.log.epoch == log.identity.epoch else { return "the log was restored from a backup" }
        guard offset <= log.head else { return "it is ahead of the log" }
        do {
            guard try log.leafHash(at: offset) == leafHash else { return "the log has another event at its checkpoint" }
        } catch is EventLog.Damaged {
            // Dropping a good view for a bad event would leave neither: a rebuild stops at that event.
            return nil
        }
        return nil
    }
}
