/// What the writer knows of one kind of thing: what it has changed itself, on top of what a view says.
///
/// Every key that changed after the view's checkpoint is here; a key that isn't may be asked of the view. Changes of
/// the batch being built lie apart until the batch is on disk.
struct WriterMemory<Key: Hashable & Sendable, Value: Sendable> {
    private struct Known {
        var value: Value
        /// Reflects all events up to here.
        var asOf: Offset
    }

    private var known: [Key: Known] = [:]
    private var building: [Key: Known] = [:]

    private let capacity: Int
    /// Past this many keys, those that the view has caught up with are forgotten.
    private var sweepsAbove: Int

    init(capacity: Int = 200_000) {
        self.capacity = capacity
        sweepsAbove = capacity
    }

    /// The value of `key` as of the batch being built.
    mutating func value(of key: Key, otherwise ask: (Key) throws -> Answer<Value>) rethrows -> Value {
        if let found = building[key] { return found.value }
        if let found = known[key] { return found.value }
        let answer = try ask(key)
        known[key] = Known(value: answer.value, asOf: answer.asOf)
        return answer.value
    }

    /// Changes `key` by the event at `offset`, in the batch being built.
    mutating func set(_ value: Value, for key: Key, at offset: Offset) {
        building[key] = Known(value: value, asOf: offset)
    }

    /// Takes in an event that is in the log but maybe not in the view.
    mutating func replay(
        _ key: Key,
        at offset: Offset,
        otherwise ask: (Key) throws -> Answer<Value>,
        _ change: (inout Value) -> Void
    ) rethrows {
        var entry: Known
        if let found = known[key] {
            entry = found
        } else {
            let answer = try ask(key)
            entry = Known(value: answer.value, asOf: answer.asOf)
        }
        guard offset > entry.asOf else { return }
        change(&entry.value)
        entry.asOf = offset
        known[key] = entry
    }

    /// The batch is on disk.
    ///
    /// - Parameter projected: The view's checkpoint.
    mutating func commit(projected: Offset) {
        if known.isEmpty {
            swap(&known, &building)
        } else {
            for (key, value) in building { known[key] = value }
        }
        building.removeAll(keepingCapacity: true)
        guard known.count > sweepsAbove else { return }
        known = known.filter { $0.value.asOf > projected }
        // A view that is away keeps everything here: doubling keeps the sweeps from costing every commit then.
        sweepsAbove = max(capacity, 2 * known.count)
    }

    /// The batch didn't reach the disk.
    mutating func rollBack() { building.removeAll(keepingCapacity: true) }

    /// Hands keys whose value may have changed after `offset` to `body`, each with the offset of its last change, in no
    /// particular order.
    func changed(after offset: Offset, _ body: (Key, Value, Offset) -> Void) {
        for (key, entry) in known where entry.asOf > offset && building[key] == nil {
            body(key, entry.value, entry.asOf)
        }
        for (key, entry) in building { body(key, entry.value, entry.asOf) }
    }
}
