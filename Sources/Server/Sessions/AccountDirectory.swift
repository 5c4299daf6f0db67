import Broker
import Synchronization

/// The names of accounts by id, ready to be put between the quotes of a JSON string.
///
/// Names of accounts that are in use now are kept; others come from the users view. A name never changes, until its
/// account is erased: then it is forgotten here before any socket hears of it, and nothing brings it back.
final class AccountDirectory: Sendable {
    private struct State {
        var names: [AccountID: [UInt8]] = [:]
        /// Few, so that all are kept.
        var erased: Set<AccountID> = []

        func name(of id: AccountID) -> [UInt8]? {
            if !erased.isEmpty, erased.contains(id) { return Array(label(ofErased: id).utf8) }
            return names[id]
        }
    }

    private let state = Mutex(State())
    private let erasureCount = Atomic(0)
    private let find: @Sendable (AccountID) -> AccountName?

    /// Past this many names all are forgotten and asked for again.
    private static let capacity = 200_000

    /// - Parameter find: Looks a name up in the users view.
    init(find: @escaping @Sendable (AccountID) -> AccountName?) { self.find = find }

    /// Remembers a name that the view may not have yet.
    ///
    /// - Returns: The name, escaped: the same bytes for all who ask.
    @discardableResult
    func insert(_ name: AccountName, for id: AccountID) -> [UInt8] {
        state.withLock { state in
            if let known = state.names[id] { return known }
            let escaped = Self.escaped(name)
            // Whoever looked the name up may have done so before the account was erased.
            guard !state.erased.contains(id) else { return escaped }
            if state.names.count >= Self.capacity { state.names.removeAll() }
            state.names[id] = escaped
            return escaped
        }
    }

    /// The escaped names of `ids`, in their order; see ``escapedName(of:)``.
    func escapedNames(of ids: some Collection<AccountID>) -> NameList {
        // Under one lock, which costs as much as finding a name.
        let known: NameList? = state.withLock { state in
            var names = NameList(capacity: ids.count)
            for id in ids {
                guard let name = state.name(of: id) else { return nil }
                names.append(name)
            }
            return names
        }
        if let known { return known }
        var names = NameList(capacity: ids.count)
        for id in ids { names.append(escapedName(of: id)) }
        return names
    }

    /// The escaped name of `id`; its digits if nobody knows it, which is only so while the users view is away.
    func escapedName(of id: AccountID) -> [UInt8] {
        if let known = state.withLock({ $0.name(of: id) }) { return known }
        guard let name = find(id) else { return Array(id.description.utf8) }
        insert(name, for: id)
        return Self.escaped(name)
    }

    static func escaped(_ name: AccountName) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONEscape.append(name.utf8.span, to: &bytes)
        return bytes
    }

    // MARK: Erased accounts

    /// Forgets the names of accounts that are erased.
    func erase(_ accounts: some Collection<AccountID>) {
        guard !accounts.isEmpty else { return }
        erasureCount.add(1, ordering: .relaxed)
        state.withLock { state in
            for account in accounts {
                state.names[account] = nil
                state.erased.insert(account)
            }
        }
    }

    /// How many times accounts were erased: whoever keeps what a name stands for asks again when it has changed.
    var erasures: Int { erasureCount.load(ordering: .relaxed) }

    func isErased(_ id: AccountID) -> Bool { state.withLock { $0.erased.contains(id) } }

    /// What stands for the name of an account that is erased: no name, because none has a slash.
    static func label(ofErased id: AccountID) -> String { labelPrefix + id.description }

    /// The erased account that `text` stands for.
    func erasedAccount(labelled text: String) -> AccountID? {
        guard text.hasPrefix(Self.labelPrefix), let id = AccountID(text.dropFirst(Self.labelPrefix.count)),
            Self.label(ofErased: id) == text, isErased(id)
        else { return nil }
        return id
    }

    private static let labelPrefix = "erased/"
}

extension AccountDirectory: CommitSubscriber {
    func committed(_ batch: CommittedBatch) { erase(batch.events.erasedAccounts) }
}

extension EventBatch {
    /// The accounts that are erased by it.
    var erasedAccounts: [AccountID] {
        // No account is erased that has no name.
        guard !releasedNames.isEmpty else { return [] }
        return entries.lazy.filter { $0.header.type == .userErased }.map(\.header.subject)
    }
}
