internal import LMDB

/// Why bytes are no entry bundle.
package enum EntryBundleError: Error, Hashable, CustomStringConvertible {
    /// The bytes end within an entry, counted from 0, or before it.
    case truncated(entry: Int)
    /// There are bytes after the last entry.
    case trailingBytes(Int)

    package var description: String {
        switch self {
        case .truncated(let entry): "the bundle ends before entry \(entry) does"
        case .trailingBytes(let count): "the bundle has \(count) bytes after its last entry"
        }
    }
}

/// The entries of a tile, each with its length before it, two bytes big-endian (C2SP tlog-tiles).
package enum EntryBundle {
    /// The longest entry in bytes that the length has room for.
    package static let maximumEntryByteCount = Int(UInt16.max)

    /// Appends an entry of at most ``maximumEntryByteCount`` bytes to a bundle.
    package static func append(_ entry: Span<UInt8>, to bundle: inout [UInt8]) {
        precondition(entry.count <= maximumEntryByteCount, "an entry too long for a bundle")
        bundle.append(bigEndian: UInt16(entry.count))
        bundle.append(entry)
    }

    /// The bundle of `entries`, at most 256, each of at most ``maximumEntryByteCount`` bytes.
    package static func encode(_ entries: [[UInt8]]) -> [UInt8] {
        precondition(entries.count <= TileCoordinate.fullWidth, "too many entries for a bundle")
        var bundle: [UInt8] = []
        for entry in entries { append(entry.span, to: &bundle) }
        return bundle
    }

    /// Reads a bundle of `width` entries.
    ///
    /// - Throws: ``EntryBundleError`` if there are fewer or more.
    package static func decode(_ bundle: Span<UInt8>, width: Int) throws(EntryBundleError) -> [[UInt8]] {
        var entries: [[UInt8]] = []
        var position = 0
        for entry in 0..<width {
            guard bundle.count - position >= 2 else { throw .truncated(entry: entry) }
            let length = Int(bundle.bigEndian(at: position, as: UInt16.self))
            position += 2
            guard bundle.count - position >= length else { throw .truncated(entry: entry) }
            entries.append([UInt8](copying: bundle.extracting(position..<position + length)))
            position += length
        }
        guard position == bundle.count else { throw .trailingBytes(bundle.count - position) }
        return entries
    }
}
