import Broker
import Cryptography
import Foundation

/// A file of lines while it is written: hashed and counted on its way.
final class ExportLinesWriter {
    private let file: FileHandle
    private let hasher = SHA256()
    private var pending: [UInt8] = []
    private var count: UInt64 = 0
    private static let chunkByteCount = 1 << 18

    init(_ url: URL) throws {
        try Data().write(to: url)
        file = try FileHandle(forWritingTo: url)
    }

    deinit { try? file.close() }

    /// Adds the line that `body` appends.
    func line(_ body: (inout [UInt8]) throws -> Void) throws {
        try body(&pending)
        count += 1
        if pending.count >= Self.chunkByteCount { try flush() }
    }

    /// Writes what is left, and says what the file is.
    func finish() throws -> ExportManifest.Lines {
        try flush()
        return ExportManifest.Lines(count: count, digest: hasher.finalize())
    }

    private func flush() throws {
        hasher.update(pending.span)
        try file.write(contentsOf: Data(pending))
        pending.removeAll(keepingCapacity: true)
    }
}

/// A file of lines while it is read: in pieces, hashed and counted on its way.
final class ExportLinesReader {
    /// A line that doesn't end, or none that any event needs.
    struct Malformed: Error {
        /// From 1.
        var line: UInt64
    }

    private let file: FileHandle
    private let hasher = SHA256()
    private var chunk: [UInt8] = []
    private var start = 0
    /// How many lines were read.
    private(set) var count: UInt64 = 0
    private static let chunkByteCount = 1 << 20
    /// A line is some twice as long as its event, whose content a setting limits to far less.
    private static let longestByteCount = 1 << 28

    init(_ url: URL) throws { file = try FileHandle(forReadingFrom: url) }

    deinit { try? file.close() }

    /// The next line without its end; nil after the last.
    ///
    /// - Throws: ``Malformed``; Foundation's errors.
    func next() throws -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = chunk[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                count += 1
                return chunk[start..<end]
            }
            searched = chunk.count - start
            chunk.removeFirst(start)
            start = 0
            let read = [UInt8](try file.read(upToCount: Self.chunkByteCount) ?? Data())
            guard !read.isEmpty else {
                guard chunk.isEmpty else { throw Malformed(line: count + 1) }
                return nil
            }
            guard chunk.count < Self.longestByteCount else { throw Malformed(line: count + 1) }
            hasher.update(read.span)
            chunk += read
        }
    }

    /// What the file is, once all lines were read.
    func finish() -> ExportManifest.Lines { ExportManifest.Lines(count: count, digest: hasher.finalize()) }
}
