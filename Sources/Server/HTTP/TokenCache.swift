import Broker
import NIOCore
import Synchronization

/// Remembers what tokens said whose signature has been verified; of too many, the first to come is the first to go.
///
/// Only verified tokens get in, so that strangers can't push others out. Whether a token still holds is for the caller
/// to check, every time.
final class TokenCache: Sendable {
    private struct State {
        var tokens: [[UInt8]: VerifiedToken] = [:]
        var order = CircularBuffer<[UInt8]>()
    }

    private let maxTokens: Int
    private let state = Mutex(State())

    /// Makes an empty cache.
    ///
    /// - Parameter maxTokens: How many are remembered; 0 remembers none.
    init(maxTokens: Int) {
        self.maxTokens = maxTokens
    }

    /// What is remembered of a token, by all of its bytes: as a `String`, different bytes can be equal.
    subscript(token: [UInt8]) -> VerifiedToken? {
        get { state.withLock { $0.tokens[token] } }
        set {
            guard let newValue, maxTokens > 0 else { return }
            state.withLock { state in
                guard state.tokens.updateValue(newValue, forKey: token) == nil else { return }
                state.order.append(token)
                guard state.order.count > maxTokens else { return }
                state.tokens[state.order.removeFirst()] = nil
            }
        }
    }

    /// Forgets the tokens of the accounts of these names, UTF-8.
    func forget(accounts names: [[UInt8]]) {
        guard !names.isEmpty else { return }
        state.withLock { state in
            state.tokens = state.tokens.filter { !names.contains(Array($0.value.account.utf8)) }
            state.order.removeAll { [tokens = state.tokens] in tokens[$0] == nil }
        }
    }

    /// How many are remembered now.
    var count: Int { state.withLock { $0.tokens.count } }
}

extension TokenCache: CommitSubscriber {
    func committed(_ batch: CommittedBatch) { forget(accounts: batch.events.releasedNames) }
}
