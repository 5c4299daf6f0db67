internal import Broker
internal import LMDB

/// The rows of a table that a batch touches: read once, changed in memory, written once, in key order.
struct BatchCache<Key: Hashable & Comparable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        var key: Key
        var value: Value
    }

    private var places: [Key: Int] = [:]
    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }

    /// Where the row of `key` is; `load` is asked for a row that the batch hasn't touched.
    ///
    /// A place is valid until ``flush(_:)`` or ``discard()``.
    mutating func place(of key: Key, load: () throws -> Value) rethrows -> Int {
        if let place = places[key] { return place }
        let value = try load()
        entries.append(Entry(key: key, value: value))
        places[key] = entries.count - 1
        return entries.count - 1
    }

    subscript(place: Int) -> Value {
        get { entries[place].value }
        _modify { yield &entries[place].value }
    }

    /// Hands all rows to `write` in key order, and forgets them.
    mutating func flush(_ write: (Key, Value) throws -> Void) rethrows {
        entries.sort { $0.key < $1.key }
        for entry in entries { try write(entry.key, entry.value) }
        discard()
    }

    mutating func discard() {
        // The memory is used again: the worker's batches are bounded, and a rebuild ends.
        places.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}
