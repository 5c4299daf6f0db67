import Broker
import Projections
import Synchronization

/// The names of accounts by id, ready to be put between the quotes of a JSON string.
///
/// Names of accounts that are in use now are kept; others come from the users view. A name never changes.
final class AccountDirectory: Sendable {
    private let names = Mutex<[AccountID: [UInt8]]>([:])
    private let find: @Sendable (AccountID) -> AccountName?

    /// Past this many names all are forgotten and asked for again.
    private static let capacity = 200_000

    /// - Parameter find: Looks a name up in the users view.
    init(find: @escaping @Sendable (AccountID) -> AccountName?) { self.find = find }

    /// Remembers a name that the view may not have yet.
    func insert(_ name: AccountName, for id: AccountID) {
        names.withLock { names in
            if names.count >= Self.capacity { names.removeAll() }
            names[id] = Self.escaped(name)
        }
    }

    /// The escaped name of `id`; its digits if nobody knows it, which is only so while the users view is away.
    func escapedName(of id: AccountID) -> [UInt8] {
        if let known = names.withLock({ $0[id] }) { return known }
        guard let name = find(id) else { return Array(id.description.utf8) }
        insert(name, for: id)
        return Self.escaped(name)
    }

    static func escaped(_ name: AccountName) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONEscape.append(name.utf8.span, to: &bytes)
        return bytes
    }
}
