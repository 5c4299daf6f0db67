package import Broker
internal import Cryptography
internal import LMDB

/// What the view of users knows of an account.
package struct Account: Equatable, Sendable {
    package var id: AccountID
    /// Empty once the account is erased, as are the two texts after it.
    package var name: AccountName
    package var username: String
    package var email: String
    /// By crypt(5), a secret; nil for a guest and for an erased account, who can't log in.
    package var passwordHash: String?
    /// Whether it never registered.
    package var isGuest: Bool
    /// The event that made it what it is.
    package var registeredOffset: Offset
    /// 0 for never.
    package var lastLoginMilliseconds: UInt64
}

/// A row of the table `accounts`, little-endian.
///
/// | at | bytes | |
/// | --- | --- | --- |
/// | 0 | 8 | offset of the registration |
/// | 8 | 8 | time of the last login |
/// | 16 | 1 | 1 for a guest |
/// | 17 | 32 | commitment of the registration's payload |
/// | 49 | 4 | seal |
/// | 53 | | name, username, e-mail, password hash, each after its length in 4 bytes |
struct AccountRow {
    var registeredOffset: Offset
    var lastLoginMilliseconds: UInt64 = 0
    var isGuest: Bool
    var commitment: Digest
    var name: [UInt8] = []
    var username: [UInt8] = []
    var email: [UInt8] = []
    var passwordHash: [UInt8] = []

    static let sealPlace = 49
    static let textPlace = 53

    init(registeredOffset: Offset, isGuest: Bool, commitment: Digest) {
        self.registeredOffset = registeredOffset
        self.isGuest = isGuest
        self.commitment = commitment
    }

    /// - Returns: Nil if `bytes` aren't laid out as a row is.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.textPlace, bytes[16] <= 1,
            let commitment = Digest(bytes.extracting(17..<Self.sealPlace))
        else { return nil }
        registeredOffset = bytes.littleEndian(at: 0)
        lastLoginMilliseconds = bytes.littleEndian(at: 8)
        isGuest = bytes[16] == 1
        self.commitment = commitment
        var place = Self.textPlace
        func text() -> [UInt8]? {
            guard bytes.count - place >= 4 else { return nil }
            let length = Int(bytes.littleEndian(at: place, as: UInt32.self))
            guard bytes.count - place - 4 >= length else { return nil }
            defer { place += 4 + length }
            return [UInt8](copying: bytes.extracting(place + 4..<place + 4 + length))
        }
        guard let name = text(), let username = text(), let email = text(), let passwordHash = text(),
            place == bytes.count
        else { return nil }
        self.name = name
        self.username = username
        self.email = email
        self.passwordHash = passwordHash
    }

    /// The bytes of the row of `id`.
    func encode(for id: AccountID) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: registeredOffset)
        bytes.append(littleEndian: lastLoginMilliseconds)
        bytes.append(isGuest ? 1 : 0)
        bytes.append(commitment.bytes.span)
        bytes.append(littleEndian: UInt32(0))
        for text in [name, username, email, passwordHash] {
            bytes.append(littleEndian: UInt32(text.count))
            bytes.append(contentsOf: text)
        }
        bytes.overwrite(littleEndian: Seal.compute(Key(id).span, bytes.span, at: Self.sealPlace), at: Self.sealPlace)
        return bytes
    }

    mutating func forgetTexts() { (name, username, email, passwordHash) = ([], [], [], []) }

    func account(_ id: AccountID) -> Account {
        Account(
            id: id,
            name: AccountName(trusting: name),
            username: String(decoding: username, as: UTF8.self),
            email: String(decoding: email, as: UTF8.self),
            passwordHash: passwordHash.isEmpty ? nil : String(decoding: passwordHash, as: UTF8.self),
            isGuest: isGuest,
            registeredOffset: registeredOffset,
            lastLoginMilliseconds: lastLoginMilliseconds
        )
    }
}
