package import Broker
package import Cryptography
package import LMDB

/// Accounts, registered and guests, by id and by name.
///
/// | table | key | value |
/// | --- | --- | --- |
/// | accounts | id | ``AccountRow`` |
/// | by_name | name | id |
/// | erased | id | the offset of the UserErased |
///
/// Of an account that was erased the row stays, without any text, because events refer to it.
package struct UsersProjection: Projection {
    package static let name = "users"
    package static let version = 2
    package static let tables = ["accounts", "by_name", "erased"]
    package static let eventTypes: EventTypes = [
        .userRegistered, .guestSeen, .userLoggedIn, .userErased, .payloadRedacted,
    ]
    package static let committedTypes: EventTypes = [.userRegistered, .guestSeen]

    private let accounts: Table
    private let names: Table
    private let erased: Table
    private var rows = BatchCache<AccountID, AccountRow?>()
    /// How many bytes of texts the rows came with.
    private var textBytes = 0

    package init(tables: [Table]) {
        accounts = tables[0]
        names = tables[1]
        erased = tables[2]
    }

    package mutating func apply(
        _ record: borrowing Record,
        in transaction: inout WriteTransaction,
        with hasher: borrowing SHA256
    ) throws {
        let header = record.header
        switch header.type {
        case .userRegistered, .guestSeen:
            try register(record, in: &transaction, with: hasher)
        case .userLoggedIn:
            let place = try place(of: header.stream, in: transaction)
            rows[place]?.lastLoginMilliseconds = header.milliseconds
        case .userErased:
            try forgetTexts(of: header.subject, in: &transaction) { _ in true }
            try transaction.put(record.offset, for: Key(header.subject), in: erased)
        case .payloadRedacted:
            guard header.concernsRoom else { return }
            try forgetTexts(of: header.stream, in: &transaction) { $0.registeredOffset == header.reference }
        case .loginFailed, .messageSent, .messagesRead, .messageEdited, .messageDeleted, .roomCreated, .memberAdded,
            .memberRemoved, .ownerChanged, .viewAttested, .auditorRead:
            break
        }
    }

    /// Takes all that came from payloads out of the row of `id`, if there is one and it `isConcerned`.
    private mutating func forgetTexts(
        of id: AccountID,
        in transaction: inout WriteTransaction,
        if isConcerned: (AccountRow) -> Bool
    ) throws {
        let place = try place(of: id, in: transaction)
        guard let row = rows[place], isConcerned(row) else { return }
        // By now the name may be somebody else's.
        if !row.name.isEmpty, try Self.owner(of: row.name, in: transaction, names) == id {
            try transaction.remove(row.name.span, from: names)
        }
        rows[place]?.forgetTexts()
    }

    private static func owner(
        of name: [UInt8],
        in transaction: borrowing WriteTransaction,
        _ names: Table
    ) throws -> AccountID? {
        guard let value = try transaction.value(of: name.span, in: names) else { return nil }
        guard value.count == Identifier.byteCount else { throw LMDBError.malformed("by_name") }
        return Identifier(value)
    }

    private mutating func register(
        _ record: borrowing Record,
        in transaction: inout WriteTransaction,
        with hasher: borrowing SHA256
    ) throws {
        let id = record.header.stream
        let place = try place(of: id, in: transaction)
        let old = rows[place]
        var row = AccountRow(
            registeredOffset: record.offset,
            isGuest: record.header.type == .guestSeen,
            commitment: record.commitment(with: hasher)
        )
        row.lastLoginMilliseconds = old?.lastLoginMilliseconds ?? 0
        switch try record.decodePayload() {
        case .userRegistered(let user):
            row.name = user.account.utf8
            row.username = Array(user.username.utf8)
            row.email = Array(user.email.utf8)
            row.passwordHash = Array(user.passwordHash.utf8)
        case .guestSeen(let account):
            row.name = account.utf8
        default:
            break  // Erased: an account without a name.
        }
        textBytes += record.bytes.count
        if let old, old.name != row.name, !old.name.isEmpty { try transaction.remove(old.name.span, from: names) }
        if !row.name.isEmpty { try transaction.put(Key(id).span, for: row.name.span, in: names) }
        rows[place] = row
    }

    private mutating func place(of id: AccountID, in transaction: borrowing WriteTransaction) throws -> Int {
        var loadedBytes = 0
        defer { textBytes += loadedBytes }
        return try rows.place(of: id) {
            guard let value = try transaction.value(of: Key(id).span, in: accounts) else { return nil }
            guard let row = AccountRow(value) else { throw LMDBError.malformed("a row of accounts") }
            loadedBytes = value.count
            return row
        }
    }

    package var heldBytes: Int { rows.heldBytes + textBytes }

    package mutating func flush(in transaction: inout WriteTransaction) throws {
        try transaction.load(accounts) { loader in
            try rows.forEach { id, row in
                guard let row else { return }
                try loader.put(row.encode(for: id).span, for: Key(id).span)
            }
        }
        discard()
    }

    package mutating func discard() {
        rows.discard()
        textBytes = 0
    }

    package static func digest(
        _ digest: inout ViewDigest.Builder,
        table: Int,
        key: Span<UInt8>,
        value: Span<UInt8>
    ) {
        guard table != 2 else {
            digest.add(row: key, value)
            return
        }
        guard table != 1 else {
            digest.meet(key, value)
            return
        }
        guard key.count == Identifier.byteCount, let row = AccountRow(value) else {
            digest.add(malformed: key, value)
            return
        }
        digest.add(key)
        digest.add(value.extracting(first: AccountRow.sealPlace))
        digest.add(
            seal: value.littleEndian(at: AccountRow.sealPlace),
            computed: Seal.compute(key, value, at: AccountRow.sealPlace),
            key: key
        )
        if !row.name.isEmpty { digest.expect(row.name.span, key) }
    }
}
