/// The rows of a table that a batch touches: read once, changed in memory, written once, in key order.
struct BatchCache<Key: BatchKey, Value: Sendable>: Sendable {
    private struct Entry {
        var key: Key
        var value: Value
        /// The one that leads here.
        var slot: Int
    }

    private var entries: [Entry] = []
    /// Place + 1 of the entry that a key's hash leads to; 0 for none.
    ///
    /// Where another one is, the next slot is looked at. At least half are 0; their number is a power of two.
    private var slots: [UInt32] = []
    // The order of the slots shows nowhere.
    private let seed = UInt64.random(in: .min ... .max)

    private static var leastSlots: Int { 1024 }

    var count: Int { entries.count }

    /// How much memory the rows take, nearly.
    var heldBytes: Int {
        entries.count * MemoryLayout<Entry>.stride + slots.count * MemoryLayout<UInt32>.stride
    }

    /// Where the row of `key` is; `load` is asked for a row that the batch hasn't touched.
    ///
    /// A place is valid until ``discard()``.
    mutating func place(of key: Key, load: () throws -> Value) rethrows -> Int {
        if 2 * entries.count >= slots.count { grow() }
        let slot = slot(of: key)
        if slots[slot] != 0 { return Int(slots[slot]) - 1 }
        let value = try load()
        entries.append(Entry(key: key, value: value, slot: slot))
        slots[slot] = UInt32(entries.count)
        return entries.count - 1
    }

    subscript(place: Int) -> Value {
        get { entries[place].value }
        _modify { yield &entries[place].value }
    }

    /// The key of a row.
    func key(at place: Int) -> Key { entries[place].key }

    /// The places in the order of their keys.
    func sortedPlaces(_ isBefore: (Key, Key) -> Bool = { $0 < $1 }) -> [Int] {
        entries.indices.sorted { isBefore(entries[$0].key, entries[$1].key) }
    }

    /// Hands all rows to `write` in key order.
    func forEach(_ write: (Key, Value) throws -> Void) rethrows {
        for place in sortedPlaces() { try write(entries[place].key, entries[place].value) }
    }

    /// Forgets all rows.
    mutating func discard() {
        // The memory is used again: the worker's batches are bounded, and a rebuild ends.
        for entry in entries { slots[entry.slot] = 0 }
        entries.removeAll(keepingCapacity: true)
    }

    /// The slot that leads to the entry of `key`, or the free one where it would.
    private func slot(of key: Key) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: key.hash(seed)) & mask
        while slots[slot] != 0, entries[Int(slots[slot]) - 1].key != key { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: max(2 * slots.count, Self.leastSlots))
        for place in entries.indices {
            let slot = slot(of: entries[place].key)
            slots[slot] = UInt32(place + 1)
            entries[place].slot = slot
        }
    }
}
