package import Broker
internal import Cryptography
internal import LMDB

/// What the view of rooms knows of a room.
package struct Room: Equatable, Sendable {
    package var id: RoomID
    package var name: String
    package var owner: AccountID
    package var memberCount: Int
    package var createdOffset: Offset
}

/// A row of the table `rooms`, little-endian but for the id.
///
/// | at | bytes | |
/// | --- | --- | --- |
/// | 0 | 8 | offset of the creation |
/// | 8 | 8 | members |
/// | 16 | 16 | owner |
/// | 32 | 32 | commitment of the creation's payload |
/// | 64 | 4 | seal |
/// | 68 | | name |
struct RoomRow {
    var createdOffset: Offset
    var memberCount: UInt64 = 0
    var owner: AccountID
    var commitment: Digest
    var name: [UInt8]

    static let sealPlace = 64
    static let namePlace = 68

    init(createdOffset: Offset, owner: AccountID, commitment: Digest, name: [UInt8]) {
        self.createdOffset = createdOffset
        self.owner = owner
        self.commitment = commitment
        self.name = name
    }

    /// - Returns: Nil if `bytes` aren't laid out as a row is.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.namePlace, let commitment = Digest(bytes.extracting(32..<Self.sealPlace)) else {
            return nil
        }
        createdOffset = bytes.littleEndian(at: 0)
        memberCount = bytes.littleEndian(at: 8)
        owner = Identifier(bytes, at: 16)
        self.commitment = commitment
        name = [UInt8](copying: bytes.extracting(Self.namePlace..<bytes.count))
    }

    /// The bytes of the row of `id`.
    func encode(for id: RoomID) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: createdOffset)
        bytes.append(littleEndian: memberCount)
        owner.append(to: &bytes)
        bytes.append(commitment.bytes.span)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(contentsOf: name)
        bytes.overwrite(littleEndian: Seal.compute(Key(id).span, bytes.span, at: Self.sealPlace), at: Self.sealPlace)
        return bytes
    }

    func room(_ id: RoomID) -> Room {
        Room(
            id: id,
            name: String(decoding: name, as: UTF8.self),
            owner: owner,
            memberCount: Int(memberCount),
            createdOffset: createdOffset
        )
    }
}
