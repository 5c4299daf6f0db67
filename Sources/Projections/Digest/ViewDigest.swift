internal import Broker
package import Cryptography
internal import LMDB

/// What a view holds, in 32 bytes, so that "live = replayed = rebuilt" is one comparison.
///
/// It is the SHA-256 over the tables in key order, therefore independent of the order and the batches in which rows
/// came to be, and it covers ids, ordinals, offsets, counters and payload commitments, but no byte that comes from a
/// payload: erasing a payload, here or in the log before a replay, changes no digest. Yet a changed payload byte does:
///
/// - A row with text carries a checksum of all its bytes, its seal. The digest takes in the difference between the seal
///   and the checksum, which is zero as long as the row is whole.
/// - A table whose keys come from payloads (names, clients' message ids) says the same as fields of other rows, which
///   are sealed. The digest takes in the difference between the two sets, which is zero as long as they agree.
///
/// The checkpoint isn't covered: it says where the view is, not what it holds.
package struct ViewDigest: Sendable {
    /// The view's name.
    package let view: String
    package let checkpoint: Checkpoint
    package let digest: Digest
    package let rows: Int
    /// What can't be right whatever the log says, 100 findings at most.
    package let damage: [String]

    /// Reads the whole of `store` in one snapshot.
    ///
    /// - Parameter check: Called every 65,536 rows; what it throws ends it.
    package init(_ store: ViewStore, check: () throws -> Void = {}) throws {
        let projection = store.projection
        var builder = Builder()
        var rows = 0
        checkpoint = try store.environment.read { transaction in
            for (index, table) in store.tables.enumerated() {
                builder.begin(table: projection.tables[index])
                var count: UInt64 = 0
                try transaction.scan(table) { key, value in
                    projection.digest(&builder, table: index, key: key, value: value)
                    count += 1
                    if count.isMultiple(of: Self.rowsBetweenChecks) { try check() }
                    return true
                }
                builder.end(rows: count)
                rows += Int(count)
            }
            return try store.checkpoint(in: transaction)
        }
        view = projection.name
        self.rows = rows
        (digest, damage) = builder.finish()
    }

    private static let rowsBetweenChecks: UInt64 = 65_536

    /// Takes in rows; used by projections.
    package struct Builder: ~Copyable {
        private let hasher = SHA256()
        private let pairHasher = SHA256()
        private var buffer: [UInt8] = []
        private var pair: [UInt8] = []
        // Sums of hashes modulo 2^64, word by word: the same for equal sets in whatever order they come.
        private var balance: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        private var table = ""
        /// Rows of the table that the balance alone covers.
        private var met: UInt64 = 0
        private var damage: [String] = []

        private static let bufferBytes = 64 << 10
        private static let mostFindings = 100

        init() { buffer.reserveCapacity(Self.bufferBytes + 1024) }

        mutating func begin(table: String) {
            self.table = table
            add(UInt64(table.utf8.count))
            add(Array(table.utf8).span)
            met = 0
        }

        mutating func end(rows: UInt64) { add(rows - met) }

        /// Adds bytes whose number the table fixes.
        mutating func add(_ bytes: Span<UInt8>) {
            if buffer.count + bytes.count > Self.bufferBytes { drain() }
            buffer.append(bytes)
        }

        mutating func add(_ value: some FixedWidthInteger) { buffer.append(bigEndian: value) }

        /// Adds a whole row, none of which comes from a payload.
        mutating func add(row key: Span<UInt8>, _ value: Span<UInt8>) {
            add(UInt32(key.count))
            add(key)
            add(UInt32(value.count))
            add(value)
        }

        /// Adds the difference between the checksum that a row carries and the one that it has: zero for a whole row.
        mutating func add(seal: UInt32, computed: UInt32, key: Span<UInt8>) {
            add(seal ^ computed)
            if seal != computed { find("the row's checksum doesn't match", key) }
        }

        /// Adds a row that isn't laid out as any that its projection writes.
        mutating func add(malformed key: Span<UInt8>, _ value: Span<UInt8>) {
            add(UInt64.max)
            add(row: key, value)
            find("the row is malformed", key)
        }

        /// A sealed row says that the row `parts` is in the table kept for looking things up.
        mutating func expect(_ parts: Span<UInt8>, _ more: Span<UInt8>) { weigh(parts, more, present: false) }

        /// The row `parts` is in the table kept for looking things up.
        mutating func meet(_ parts: Span<UInt8>, _ more: Span<UInt8>) {
            weigh(parts, more, present: true)
            met += 1
        }

        private mutating func weigh(_ parts: Span<UInt8>, _ more: Span<UInt8>, present: Bool) {
            pair.removeAll(keepingCapacity: true)
            pair.append(littleEndian: UInt32(parts.count))
            pair.append(parts)
            pair.append(more)
            pairHasher.update(pair.span)
            let hash = pairHasher.finalize().bytes
            func word(_ index: Int) -> UInt64 {
                let value: UInt64 = hash.span.bigEndian(at: 8 * index)
                return present ? value : 0 &- value
            }
            balance.0 &+= word(0)
            balance.1 &+= word(1)
            balance.2 &+= word(2)
            balance.3 &+= word(3)
        }

        private mutating func find(_ what: String, _ key: Span<UInt8>) {
            guard damage.count < Self.mostFindings else { return }
            damage.append("\(table) \(Hexadecimal.text(key)): \(what)")
        }

        private mutating func drain() {
            hasher.update(buffer.span)
            buffer.removeAll(keepingCapacity: true)
        }

        consuming func finish() -> (Digest, [String]) {
            add(balance.0)
            add(balance.1)
            add(balance.2)
            add(balance.3)
            if balance != (0, 0, 0, 0), damage.count < Self.mostFindings {
                damage.append("\(table): not the rows that the others call for")
            }
            drain()
            return (hasher.finalize(), damage)
        }
    }
}

/// Bytes as people read them.
enum Hexadecimal {
    /// Two lower-case digits a byte.
    static func text(_ bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        let digits = Array("0123456789abcdef".utf8)
        for index in bytes.indices {
            text.append(digits[Int(bytes[index] >> 4)])
            text.append(digits[Int(bytes[index] & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
