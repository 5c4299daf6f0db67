internal import Broker
internal import LMDB

/// The first row, in the order of tables and keys, that two views of one projection don't share.
///
/// Says where, never what: a row may hold a password's hash.
package struct ViewDifference: Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        case onlyInFirst
        case onlyInSecond
        /// The values differ from this byte on.
        case value(at: Int)
    }

    /// The table's name.
    package var table: String
    /// The row's key, in hexadecimal.
    package var key: String
    package var kind: Kind

    package var description: String {
        switch kind {
        case .onlyInFirst: "table \(table), key \(key): the row is in the live view only"
        case .onlyInSecond: "table \(table), key \(key): the row is in the replayed view only"
        case .value(let place): "table \(table), key \(key): the values differ from byte \(place) on"
        }
    }

    /// Compares all rows, all bytes.
    ///
    /// The checkpoints aren't compared.
    ///
    /// - Returns: Nil if there is no difference.
    package static func first(between one: ViewStore, and other: ViewStore) throws -> ViewDifference? {
        precondition(one.projection == other.projection, "two views of different projections")
        for (index, name) in one.projection.tables.enumerated() {
            var left = RowReader(one, table: index)
            var right = RowReader(other, table: index)
            // Whole lots at once, as long as they are the same.
            while try left.skipLot(equalTo: &right) {}
            while true {
                let a = try left.next()
                let b = try right.next()
                guard let kind = kind(of: a, b) else {
                    if a == nil { break }
                    continue
                }
                let key: ArraySlice<UInt8>
                switch kind {
                case .onlyInSecond: key = b?.key ?? []
                default: key = a?.key ?? []
                }
                return ViewDifference(table: name, key: Hexadecimal.text(Array(key).span), kind: kind)
            }
        }
        return nil
    }

    private static func kind(of one: RowReader.Row?, _ other: RowReader.Row?) -> Kind? {
        guard let one else { return other == nil ? nil : .onlyInSecond }
        guard let other else { return .onlyInFirst }
        if one.key != other.key { return one.key.lexicographicallyPrecedes(other.key) ? .onlyInFirst : .onlyInSecond }
        if one.value == other.value { return nil }
        let common = zip(one.value, other.value).prefix { $0 == $1 }
        return .value(at: common.reduce(0) { count, _ in count + 1 })
    }
}

/// Reads a table in key order, some thousand rows at a time, each lot in a short transaction of its own.
private struct RowReader {
    struct Row {
        var key: ArraySlice<UInt8>
        var value: ArraySlice<UInt8>
    }

    private let store: ViewStore
    private let table: Table
    private var bytes: [UInt8] = []
    private var ends: [Ends] = []
    private var position = 0
    private var lastKey: [UInt8]?
    private var isAtEnd = false

    private struct Ends: Equatable {
        var key: Int
        var value: Int
    }

    private static let lotRows = 4096

    init(_ store: ViewStore, table index: Int) {
        self.store = store
        table = store.tables[index]
    }

    /// Goes past the next lot here and in `other` if both are the same to the byte.
    ///
    /// - Returns: Whether they are; false at the end as well.
    mutating func skipLot(equalTo other: inout RowReader) throws -> Bool {
        try fill()
        try other.fill()
        guard position == 0, other.position == 0, !ends.isEmpty, ends == other.ends, bytes == other.bytes else {
            return false
        }
        position = ends.count
        other.position = ends.count
        return true
    }

    private mutating func fill() throws {
        if position == ends.count, !isAtEnd { try readLot() }
    }

    mutating func next() throws -> Row? {
        try fill()
        guard position < ends.count else { return nil }
        let start = position == 0 ? 0 : ends[position - 1].value
        let end = ends[position]
        position += 1
        return Row(key: bytes[start..<end.key], value: bytes[end.key..<end.value])
    }

    private mutating func readLot() throws {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        position = 0
        isAtEnd = true
        // The least key after the last one is that with a zero byte more.
        let start = lastKey.map { $0 + [0] } ?? []
        try store.environment.read { transaction in
            try transaction.scan(table, from: start.isEmpty ? nil : start.span) { key, value in
                if ends.count == Self.lotRows {
                    isAtEnd = false
                    return false
                }
                bytes.append(key)
                let keyEnd = bytes.count
                bytes.append(value)
                ends.append(Ends(key: keyEnd, value: bytes.count))
                return true
            }
        }
        if let last = ends.last {
            let start = ends.count == 1 ? 0 : ends[ends.count - 2].value
            lastKey = Array(bytes[start..<last.key])
        }
    }
}
