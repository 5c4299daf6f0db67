internal import Broker
internal import Synchronization

/// Who waits for a view to have projected an offset.
///
/// A value, guarded by the view's lock.
struct Waiters: ~Copyable {
    typealias Body = @Sendable () -> Void

    private struct Waiter {
        var id: UInt64
        var offset: Offset
        var body: Body
    }

    private var waiting: [Waiter] = []
    private var nextID: UInt64 = 1
    /// The least offset that anybody waits for.
    private var least: Offset = .max

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ offset: Offset, _ body: @escaping Body) -> UInt64 {
        defer { nextID += 1 }
        waiting.append(Waiter(id: nextID, offset: offset, body: body))
        least = min(least, offset)
        return nextID
    }

    mutating func cancel(_ id: UInt64) { waiting.removeAll { $0.id == id } }

    /// Takes out those whose offset is projected, in the order in which they came.
    mutating func take(projected: Offset) -> [Body] {
        guard least <= projected else { return [] }
        var ready: [Body] = []
        least = .max
        waiting.removeAll { waiter in
            if waiter.offset <= projected {
                ready.append(waiter.body)
                return true
            }
            least = min(least, waiter.offset)
            return false
        }
        return ready
    }

    /// Takes out everybody.
    mutating func takeAll() -> [Body] {
        defer { waiting = [] }
        least = .max
        return waiting.map(\.body)
    }
}

/// A wait that can be given up.
package struct ProjectionWait: Sendable {
    let view: View?
    let id: UInt64

    /// Sees to it that the body isn't called, unless that has begun already.
    package func cancel() { view?.cancelWait(id) }
}
