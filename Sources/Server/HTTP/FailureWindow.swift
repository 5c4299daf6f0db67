import NIOCore

/// Counts failures by key: at most ``limit`` in the minute that begins with a key's first.
///
/// A value without a clock: the time is passed in. Memory is bounded: of more than ``maxKeys`` keys the ones that were
/// seen first are forgotten.
struct FailureWindow<Key: Hashable & Sendable>: Sendable {
    /// How many failures a window takes; 0 is no limit.
    let limit: Int
    /// How many keys are remembered.
    let maxKeys: Int
    private let length: Duration
    private var windows: [Key: (start: ContinuousClock.Instant, count: Int)] = [:]
    /// Every window there is, oldest first; all are equally long, so they also end in this order.
    private var order = CircularBuffer<(key: Key, start: ContinuousClock.Instant)>()

    init(limit: Int, maxKeys: Int, length: Duration = .seconds(60)) {
        self.limit = limit
        self.maxKeys = maxKeys
        self.length = length
    }

    /// How many keys are remembered now.
    var count: Int { windows.count }

    /// How long `key` has to wait for its next try; nil if it needn't.
    mutating func wait(of key: Key, now: ContinuousClock.Instant) -> Duration? {
        forget(before: now)
        guard limit > 0, let window = windows[key], window.count >= limit else { return nil }
        return now.duration(to: window.start + length)
    }

    /// Counts a failure of `key`.
    mutating func add(_ key: Key, now: ContinuousClock.Instant) {
        guard limit > 0 else { return }
        forget(before: now)
        if let window = windows[key] {
            windows[key]?.count = window.count + 1
            return
        }
        if windows.count == maxKeys, let oldest = order.popFirst() { windows[oldest.key] = nil }
        windows[key] = (now, 1)
        order.append((key, now))
    }

    /// Takes back one failure of `key`.
    mutating func subtract(_ key: Key) {
        // The window stays with a count of 0: `order` still names it, and it goes when its time comes.
        guard let window = windows[key], window.count > 0 else { return }
        windows[key]?.count = window.count - 1
    }

    private mutating func forget(before now: ContinuousClock.Instant) {
        while let oldest = order.first, oldest.start + length <= now {
            order.removeFirst()
            windows[oldest.key] = nil
        }
    }
}
