internal import Broker
internal import LMDB

/// Two ids that make a key, ordered as its bytes are.
struct Pair: Comparable {
    var first: Identifier
    var second: Identifier

    init(_ first: Identifier, _ second: Identifier) {
        self.first = first
        self.second = second
    }

    static func < (left: Pair, right: Pair) -> Bool {
        left.first != right.first ? left.first < right.first : left.second < right.second
    }

    var key: Key { Key(first, second) }
}

extension Pair: BatchKey {
    func hash(_ seed: UInt64) -> UInt64 { second.hash(first.hash(seed)) }
}

extension Key {
    init(_ id: Identifier) {
        self.init()
        append(id)
    }

    init(_ first: Identifier, _ second: Identifier) {
        self.init(first)
        append(second)
    }

    init(_ id: Identifier, _ number: UInt64) {
        self.init(id)
        append(number)
    }

    init(_ first: Identifier, _ second: Identifier, _ number: UInt64) {
        self.init(first, second)
        append(number)
    }
}

extension Span<UInt8> {
    /// Whether the bytes begin with those of `id`.
    func begins(with id: Identifier) -> Bool {
        count >= 16 && bigEndian(at: 0) == id.high && bigEndian(at: 8) == id.low
    }

    /// The number in the first 8 bytes, little-endian.
    ///
    /// - Throws: ``LMDBError`` if there are fewer: a damaged row must not take the server down.
    func firstNumber() throws(LMDBError) -> UInt64 {
        guard count >= 8 else { throw LMDBError.malformed("a row without a number") }
        return littleEndian(at: 0)
    }
}

extension Transaction where Self: ~Copyable {
    /// The number that the value of `key` begins with, 8 bytes, little-endian.
    borrowing func number(of key: Key, in table: Table) throws(LMDBError) -> UInt64? {
        guard let value = try value(of: key.span, in: table) else { return nil }
        return try value.firstNumber()
    }
}

extension WriteTransaction {
    /// Writes the 8 little-endian bytes of `number` under `key`.
    mutating func put(_ number: UInt64, for key: Key, in table: Table) throws {
        try put(number.bytes.span, for: key.span, in: table)
    }
}

extension TableLoader {
    /// Writes the 8 little-endian bytes of `number` under `key`.
    mutating func put(_ number: UInt64, for key: Key) throws { try put(number.bytes.span, for: key.span) }
}

extension UInt64 {
    fileprivate var bytes: InlineArray<8, UInt8> { InlineArray { UInt8(truncatingIfNeeded: self >> (8 * UInt64($0))) } }
}
