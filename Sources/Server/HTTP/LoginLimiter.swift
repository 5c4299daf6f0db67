import Synchronization

/// Slows down who guesses passwords: so many failed logins a minute for an account from one address, and so many from
/// one address for any account.
///
/// A try counts as failed from its beginning until it is known to have succeeded: else a thousand tries at once would
/// all be let in before the first has failed.
struct LoginLimiter: Sendable {
    private struct Pair: Hashable {
        let account: String
        let address: AddressBlock
    }

    private var pairs: FailureWindow<Pair>
    private var addresses: FailureWindow<AddressBlock>

    /// - Parameters:
    ///   - perAccount: Failures a minute of one account from one address; 0 is no limit.
    ///   - perAddress: Failures a minute from one address; 0 is no limit.
    ///   - maxKeys: How many pairs, and how many addresses, are remembered; about 150 bytes each.
    init(perAccount: Int, perAddress: Int, maxKeys: Int = 65_536) {
        pairs = FailureWindow(limit: perAccount, maxKeys: maxKeys)
        addresses = FailureWindow(limit: perAddress, maxKeys: maxKeys)
    }

    /// Lets a try begin, or says how long to wait.
    ///
    /// One that is let in counts as failed until ``succeed(account:from:)``.
    mutating func begin(account: String, from address: ClientAddress, now: ContinuousClock.Instant) -> Duration? {
        let pair = Pair(account: Self.bounded(account), address: address.subscriber)
        let waits = [pairs.wait(of: pair, now: now), addresses.wait(of: address.subscriber, now: now)]
        if let longest = waits.compactMap({ $0 }).max() { return longest }
        pairs.add(pair, now: now)
        addresses.add(address.subscriber, now: now)
        return nil
    }

    /// A try that was let in was no failure after all.
    mutating func succeed(account: String, from address: ClientAddress) {
        pairs.subtract(Pair(account: Self.bounded(account), address: address.subscriber))
        addresses.subtract(address.subscriber)
    }

    /// An account's name has 64 bytes at most; a longer text is nobody's, and must not cost us memory.
    private static func bounded(_ account: String) -> String {
        account.utf8.count <= 64 ? account : String(decoding: account.utf8.prefix(65), as: UTF8.self)
    }
}

/// The one ``LoginLimiter`` of a server, for use from any thread.
final class LoginGuard: Sendable {
    private let limiter: Mutex<LoginLimiter>

    init(_ limiter: LoginLimiter) {
        self.limiter = Mutex(limiter)
    }

    /// Lets a try begin; nil, or the whole seconds to tell in Retry-After.
    func begin(account: String, from address: ClientAddress, now: ContinuousClock.Instant = .now) -> Int? {
        limiter.withLock { $0.begin(account: account, from: address, now: now) }
            .map { wait in Int(wait.components.seconds) + (wait.components.attoseconds > 0 ? 1 : 0) }
    }

    /// A try that was let in was no failure after all.
    func succeed(account: String, from address: ClientAddress) {
        limiter.withLock { $0.succeed(account: account, from: address) }
    }
}
