internal import CLMDB
internal import Foundation

/// Reads an environment's file page by page as it lies on the disk, past LMDB, which trusts every page that it finds.
///
/// Source: lmdb 0.9.24, mdb.c: `MDB_page`, `MDB_meta`, `MDB_db`, `MDB_node`.
struct PageReader {
    /// A tree of pages, as its record says.
    struct Tree: Equatable {
        static let byteCount = 48
        static let none = UInt64.max

        var flags: UInt16
        var depth: UInt16
        var branchPages: UInt64
        var leafPages: UInt64
        var overflowPages: UInt64
        var entries: UInt64
        /// ``none`` for an empty tree.
        var root: UInt64

        init(_ bytes: Span<UInt8>, at start: Int) {
            flags = bytes.littleEndian(at: start + 4)
            depth = bytes.littleEndian(at: start + 6)
            branchPages = bytes.littleEndian(at: start + 8)
            leafPages = bytes.littleEndian(at: start + 16)
            overflowPages = bytes.littleEndian(at: start + 24)
            entries = bytes.littleEndian(at: start + 32)
            root = bytes.littleEndian(at: start + 40)
        }

        /// Whether keys are integers of 8 bytes.
        var hasIntegerKeys: Bool { flags & UInt16(MDB_INTEGERKEY) != 0 }
    }

    /// What the first two pages say, one of the last commit and one of that before.
    struct Meta {
        var free: Tree
        var main: Tree
        var lastPage: UInt64
        var transaction: UInt64

        init(_ page: Span<UInt8>) {
            free = Tree(page, at: 40)
            main = Tree(page, at: 88)
            lastPage = page.littleEndian(at: 136)
            transaction = page.littleEndian(at: 144)
        }
    }

    let pageBytes: Int
    /// The length of the file.
    let fileBytes: UInt64
    private let file: FileHandle

    init(path: String, pageBytes: Int) throws {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw CocoaError(.fileReadNoPermission, userInfo: [NSFilePathErrorKey: path])
        }
        self.file = file
        self.pageBytes = pageBytes
        fileBytes = try file.seekToEnd()
    }

    /// Whether pages up to `page` are in the file.
    func holds(_ page: UInt64) -> Bool { page < fileBytes / UInt64(pageBytes) }

    /// The bytes of `count` pages from `page` on.
    ///
    /// - Returns: Nil if they aren't all in the file.
    func pages(at page: UInt64, count: UInt64 = 1) throws -> [UInt8]? {
        guard count > 0, count <= fileBytes / UInt64(pageBytes), page <= fileBytes, holds(page + count - 1) else {
            return nil
        }
        let start = page * UInt64(pageBytes)
        let length = Int(count) * pageBytes
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, initialized in
            initialized = unsafe max(0, pread(file.fileDescriptor, buffer.baseAddress, length, off_t(start)))
        }
        guard bytes.count == length else { throw LMDBError(code: bytes.isEmpty ? errno : EIO, function: "pread") }
        return bytes
    }

    /// Both metas; those of a new file are alike.
    func metas() throws -> (Meta, Meta) {
        guard let bytes = try pages(at: 0, count: 2) else {
            throw LMDBError.malformed("the file ends in its first pages")
        }
        return (Meta(bytes.span), Meta(bytes.span.extracting(droppingFirst: pageBytes)))
    }
}
