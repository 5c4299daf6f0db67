package import Broker
package import Cryptography
package import LMDB

/// Accounts, registered and guests, by id and by name.
///
/// | table | key | value |
/// | --- | --- | --- |
/// | accounts | id | ``AccountRow`` |
/// | by_name | name | id |
package struct UsersProjection: Projection {
    package static let name = "users"
    package static let version = 1
    package static let tables = ["accounts", "by_name"]

    private let accounts: Table
    private let names: Table
    private var rows = BatchCache<AccountID, AccountRow?>()

    package init(tables: [Table]) {
        accounts = tables[0]
        names = tables[1]
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
        case .loginFailed, .messageSent, .messagesRead, .messageEdited, .messageDeleted, .roomCreated, .memberAdded,
            .memberRemoved, .ownerChanged:
            break
        }
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
        if let old, old.name != row.name, !old.name.isEmpty { try transaction.remove(old.name.span, from: names) }
        if !row.name.isEmpty { try transaction.put(Key(id).span, for: row.name.span, in: names) }
        rows[place] = row
    }

    private mutating func place(of id: AccountID, in transaction: borrowing WriteTransaction) throws -> Int {
        try rows.place(of: id) {
            guard let value = try transaction.value(of: Key(id).span, in: accounts) else { return nil }
            guard let row = AccountRow(value) else { throw LMDBError.malformed("a row of accounts") }
            return row
        }
    }

    package mutating func flush(in transaction: inout WriteTransaction) throws {
        try rows.flush { id, row in
            guard let row else { return }
            try transaction.put(row.encode(for: id).span, for: Key(id).span, in: accounts)
        }
    }

    package mutating func discard() { rows.discard() }

    package static func digest(
        _ digest: inout ViewDigest.Builder,
        table: Int,
        key: Span<UInt8>,
        value: Span<UInt8>
    ) {
        if table == 1 {
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
