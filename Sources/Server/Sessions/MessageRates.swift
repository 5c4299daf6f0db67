import Broker
import NIOCore
import Synchronization

/// How many messages a user may send: so many a second on average, and ten seconds' worth at once.
final class MessageRates: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: NIODeadline
    }

    private let perSecond: Double
    private let buckets = Mutex<[AccountID: Bucket]>([:])

    /// Past this many users, those whose bucket is full again are forgotten.
    private static let capacity = 100_000

    /// - Parameter perSecond: Messages a second for each user; 0 for no limit.
    init(perSecond: Int) { self.perSecond = Double(perSecond) }

    /// Whether `account` may send one more message at `now`.
    func allows(_ account: AccountID, now: @autoclosure () -> NIODeadline) -> Bool {
        guard perSecond > 0 else { return true }
        let now = now()
        let burst = perSecond * 10
        let perSecond = perSecond
        return buckets.withLock { buckets in
            if buckets.count >= Self.capacity {
                buckets = buckets.filter { Self.refilled($0.value, perSecond, burst, now) < burst }
            }
            let bucket = buckets[account] ?? Bucket(tokens: burst, at: now)
            let tokens = Self.refilled(bucket, perSecond, burst, now)
            buckets[account] = Bucket(tokens: tokens >= 1 ? tokens - 1 : tokens, at: now)
            return tokens >= 1
        }
    }

    private static func refilled(_ bucket: Bucket, _ perSecond: Double, _ burst: Double, _ now: NIODeadline) -> Double {
        min(burst, bucket.tokens + Double((now - bucket.at).nanoseconds) / 1e9 * perSecond)
    }
}
