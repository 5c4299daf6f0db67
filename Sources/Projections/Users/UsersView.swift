package import Broker
internal import LMDB

/// What the view of users is asked.
///
/// Any thread; each call is one short read.
package struct UsersView: Sendable {
    package let view: View

    package init(_ view: View) {
        precondition(view.projection == UsersProjection.self)
        self.view = view
    }

    /// The account that goes by `name`.
    package func account(named name: AccountName) throws -> Answer<Account?> {
        try view.read { transaction, tables, asOf in
            guard let value = try transaction.value(of: name.utf8.span, in: tables[1]) else {
                return Answer(nil, asOf: asOf)
            }
            return Answer(try Self.row(of: Identifier(value), in: transaction, tables), asOf: asOf)
        }
    }

    /// The account with that id.
    package func account(_ id: AccountID) throws -> Answer<Account?> {
        try view.read { transaction, tables, asOf in
            Answer(try Self.row(of: id, in: transaction, tables), asOf: asOf)
        }
    }

    /// The name that the account goes by.
    ///
    /// A name once given never changes: it may be kept until the account is erased.
    package func name(of id: AccountID) throws -> AccountName? {
        try view.read { transaction, tables, _ in
            guard let value = try transaction.value(of: Key(id).span, in: tables[0]) else { return nil }
            guard let row = AccountRow(value) else { throw LMDBError.malformed("a row of accounts") }
            return row.name.isEmpty ? nil : AccountName(trusting: row.name)
        }
    }

    /// The accounts that were erased.
    package func erasedAccounts() throws -> Answer<Set<AccountID>> {
        try view.read { transaction, tables, asOf in
            var accounts: Set<AccountID> = []
            try transaction.scan(tables[2]) { key, _ in
                guard key.count == Identifier.byteCount else { throw LMDBError.malformed("a key of erased") }
                accounts.insert(Identifier(key))
                return true
            }
            return Answer(accounts, asOf: asOf)
        }
    }

    private static func row(
        of id: AccountID,
        in transaction: borrowing ReadTransaction,
        _ tables: [Table]
    ) throws -> Account? {
        guard let value = try transaction.value(of: Key(id).span, in: tables[0]) else { return nil }
        guard let row = AccountRow(value) else { throw LMDBError.malformed("a row of accounts") }
        return row.account(id)
    }
}
