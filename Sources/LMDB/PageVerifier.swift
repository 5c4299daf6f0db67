internal import CLMDB

/// Goes over all trees of an environment's file, page by page, and notes what isn't as LMDB writes it.
struct PageVerifier {
    private(set) var faults: [PageFault] = []

    private let reader: PageReader
    private let meta: PageReader.Meta
    private let limit: Int
    /// A bit for each page that belongs to something.
    private var taken: [UInt64]
    private var done: UInt64 = 0

    private static let branch: UInt16 = 0x01
    private static let leaf: UInt16 = 0x02
    private static let overflow: UInt16 = 0x04
    private static let dirty: UInt16 = 0x10
    private static let headerBytes = 16
    private static let nodeBytes = 8
    private static let isElsewhere: UInt16 = 0x01
    private static let isTable: UInt16 = 0x02
    private static let mostDepth: UInt16 = 32
    private static let mostKeyBytes = 511
    private static let progressStep: UInt64 = 4096

    init(_ reader: PageReader, _ meta: PageReader.Meta, limit: Int) {
        self.reader = reader
        self.meta = meta
        self.limit = limit
        // What the file can't hold is found before it is marked.
        let pages = min(meta.lastPage, reader.fileBytes / UInt64(reader.pageBytes)) + 1
        taken = Array(repeating: 0, count: Int(pages / 64 + 1))
        taken[0] = 0b11
    }

    mutating func verify(_ progress: (_ done: UInt64, _ total: UInt64) throws -> Void) throws {
        var tables: [(name: String, tree: PageReader.Tree)] = []
        try walk(meta.main, named: "of all tables", progress) { verifier, node, page in
            guard node.flags & Self.isTable != 0, node.valueBytes == PageReader.Tree.byteCount else {
                verifier.note(page, "has a row beside the tables'")
                return
            }
            let bytes = verifier.current
            let name = String(decoding: bytes.span.extracting(node.key))
            tables.append((name, PageReader.Tree(bytes.span, at: node.key.upperBound)))
        }
        for table in tables {
            guard table.tree.flags & ~UInt16(MDB_INTEGERKEY) == 0 else {
                note(meta.main.root, "has a table \(table.name) of a kind that isn't used here")
                continue
            }
            try walk(table.tree, named: table.name, progress)
        }
        try verifyFree(progress)
    }

    // MARK: Trees

    /// A row of a page; the key's place is within the page.
    private struct Node {
        var flags: UInt16
        var key: Range<Int>
        var valueBytes: Int
    }

    private struct Found: Equatable {
        var branchPages: UInt64 = 0
        var leafPages: UInt64 = 0
        var overflowPages: UInt64 = 0
        var entries: UInt64 = 0
    }

    /// The page whose rows are being handed out.
    private var current: [UInt8] = []

    private typealias Visit = (inout PageVerifier, Node, UInt64) throws -> Void

    private mutating func walk(
        _ tree: PageReader.Tree,
        named name: String,
        _ progress: (_ done: UInt64, _ total: UInt64) throws -> Void,
        _ visit: Visit? = nil
    ) throws {
        var found = Found()
        let before = faults.count
        if tree.root != PageReader.Tree.none {
            guard 1...Self.mostDepth ~= tree.depth else {
                note(tree.root, "is said to be the root of \(tree.depth) levels")
                return
            }
            try descend(to: tree.root, 1, of: tree, from: nil, upTo: nil, &found, progress, visit)
        }
        let expected = Found(
            branchPages: tree.branchPages,
            leafPages: tree.leafPages,
            overflowPages: tree.overflowPages,
            entries: tree.entries
        )
        guard found != expected, faults.count == before else { return }
        note(
            tree.root == PageReader.Tree.none ? meta.transaction & 1 : tree.root,
            "is the root of the table \(name), which has \(found.entries) rows and should have \(tree.entries)"
        )
    }

    /// Looks at a page and those below it, whose keys lie from `first` on and before `end`.
    private mutating func descend(
        to page: UInt64,
        _ level: UInt16,
        of tree: PageReader.Tree,
        from first: [UInt8]?,
        upTo end: [UInt8]?,
        _ found: inout Found,
        _ progress: (_ done: UInt64, _ total: UInt64) throws -> Void,
        _ visit: Visit?
    ) throws {
        guard faults.count < limit, take(page, 1), let bytes = try reader.pages(at: page) else {
            if faults.count < limit, !reader.holds(page) { note(page, "is in use, but the file ends before it") }
            return
        }
        done += 1
        if done % Self.progressStep == 0 { try progress(min(done, meta.lastPage), meta.lastPage) }
        let isLeaf = level == tree.depth
        if isLeaf { found.leafPages += 1 } else { found.branchPages += 1 }
        guard let nodes = nodes(of: bytes, at: page, isLeaf: isLeaf, tree, from: first, upTo: end) else { return }
        if isLeaf {
            found.entries += UInt64(nodes.count)
            for node in nodes {
                if node.flags & Self.isElsewhere != 0 {
                    let start: UInt64 = bytes.span.littleEndian(at: node.key.upperBound)
                    try takeOverflow(start, bytes: node.valueBytes, &found)
                }
                if let visit {
                    current = bytes
                    try visit(&self, node, page)
                } else if node.flags & Self.isTable != 0 {
                    note(page, "has a table within a table")
                }
            }
            return
        }
        for (index, node) in nodes.enumerated() {
            let start = node.key.lowerBound - Self.nodeBytes
            let low: UInt32 = bytes.span.littleEndian(at: start)
            let child = UInt64(low) | UInt64(node.flags) << 32
            try descend(
                to: child,
                level + 1,
                of: tree,
                from: index == 0 ? first : Array(bytes[node.key]),
                upTo: index + 1 < nodes.count ? Array(bytes[nodes[index + 1].key]) : end,
                &found,
                progress,
                visit
            )
        }
    }

    /// The rows of a page.
    ///
    /// - Returns: Nil if the page is damaged, which is noted.
    private mutating func nodes(
        of bytes: [UInt8],
        at page: UInt64,
        isLeaf: Bool,
        _ tree: PageReader.Tree,
        from first: [UInt8]?,
        upTo end: [UInt8]?
    ) -> [Node]? {
        let number: UInt64 = bytes.span.littleEndian(at: 0)
        guard number == page else {
            note(page, "says that it is page \(number)")
            return nil
        }
        let flags = bytes.span.littleEndian(at: 10, as: UInt16.self) & ~Self.dirty
        guard flags == (isLeaf ? Self.leaf : Self.branch) else {
            note(page, "should be a \(isLeaf ? "leaf" : "branch") and is of kind \(flags)")
            return nil
        }
        let lower = Int(bytes.span.littleEndian(at: 12, as: UInt16.self))
        let upper = Int(bytes.span.littleEndian(at: 14, as: UInt16.self))
        let least = isLeaf ? 1 : 2
        guard lower.isMultiple(of: 2), lower >= Self.headerBytes + 2 * least, upper >= lower, upper <= bytes.count
        else {
            note(page, "has no place for its rows: \(lower) to \(upper)")
            return nil
        }
        var nodes: [Node] = []
        var used = 0
        for index in 0..<(lower - Self.headerBytes) / 2 {
            let start = Int(bytes.span.littleEndian(at: Self.headerBytes + 2 * index, as: UInt16.self))
            guard start >= upper, let node = Self.node(at: start, in: bytes, isLeaf: isLeaf) else {
                note(page, "has a row that isn't within it")
                return nil
            }
            // LMDB rounds up to an even number, and leaves no gap.
            let value = isLeaf ? (node.flags & Self.isElsewhere != 0 ? 8 : node.valueBytes) : 0
            used += (Self.nodeBytes + node.key.count + value + 1) & ~1
            nodes.append(node)
        }
        guard used == bytes.count - upper else {
            note(page, "has rows of other lengths than it has room for")
            return nil
        }
        guard Self.areInOrder(nodes, in: bytes, isLeaf: isLeaf, tree, from: first, upTo: end) else {
            note(page, "has keys that are out of order")
            return nil
        }
        return nodes
    }

    private static func node(at start: Int, in bytes: [UInt8], isLeaf: Bool) -> Node? {
        guard start + nodeBytes <= bytes.count else { return nil }
        let low: UInt16 = bytes.span.littleEndian(at: start)
        let high: UInt16 = bytes.span.littleEndian(at: start + 2)
        let flags: UInt16 = bytes.span.littleEndian(at: start + 4)
        let key = start + nodeBytes..<start + nodeBytes + Int(bytes.span.littleEndian(at: start + 6, as: UInt16.self))
        guard key.upperBound <= bytes.count, key.count <= mostKeyBytes else { return nil }
        let valueBytes = Int(low) | Int(high) << 16
        guard isLeaf else { return Node(flags: flags, key: key, valueBytes: 0) }
        let stored = flags & isElsewhere != 0 ? 8 : valueBytes
        guard flags == 0 || flags == isElsewhere || flags == isTable, !key.isEmpty,
            stored <= bytes.count - key.upperBound
        else { return nil }
        return Node(flags: flags, key: key, valueBytes: valueBytes)
    }

    private static func areInOrder(
        _ nodes: [Node],
        in bytes: [UInt8],
        isLeaf: Bool,
        _ tree: PageReader.Tree,
        from first: [UInt8]?,
        upTo end: [UInt8]?
    ) -> Bool {
        var last = first
        var mayBeEqual = true
        // The first key of a branch is never looked at, and may be empty.
        for node in isLeaf ? nodes[...] : nodes.dropFirst() {
            let key = Array(bytes[node.key])
            if tree.hasIntegerKeys, key.count != 8 { return false }
            if let last, !precedes(last, key, tree), !(mayBeEqual && last == key) { return false }
            last = key
            mayBeEqual = false
        }
        if let last, let end { return precedes(last, end, tree) }
        return true
    }

    private static func precedes(_ one: [UInt8], _ other: [UInt8], _ tree: PageReader.Tree) -> Bool {
        guard tree.hasIntegerKeys else { return one.lexicographicallyPrecedes(other) }
        return one.span.littleEndian(at: 0, as: UInt64.self) < other.span.littleEndian(at: 0, as: UInt64.self)
    }

    private mutating func takeOverflow(_ page: UInt64, bytes count: Int, _ found: inout Found) throws {
        let needed = UInt64((Self.headerBytes - 1 + count) / reader.pageBytes + 1)
        guard page >= 2, page <= meta.lastPage, let header = try reader.pages(at: page) else {
            return note(page, "should hold a long value, but the file ends before it")
        }
        // A value that was written over by a shorter one in the same commit has kept its pages.
        let pages = UInt64(header.span.littleEndian(at: 12, as: UInt32.self))
        guard header.span.littleEndian(at: 0, as: UInt64.self) == page,
            header.span.littleEndian(at: 10, as: UInt16.self) & ~Self.dirty == Self.overflow, pages >= needed
        else { return note(page, "should hold a long value of \(needed) pages") }
        guard take(page, pages) else { return }
        guard reader.holds(page + pages - 1) else { return note(page, "is in use, but the file ends before its end") }
        done += pages
        found.overflowPages += pages
    }

    // MARK: Free pages

    /// Looks at the lists of pages that may be written over: none may be in use.
    private mutating func verifyFree(_ progress: (_ done: UInt64, _ total: UInt64) throws -> Void) throws {
        var tree = meta.free
        // The tree's record has the size of a page in the place of other things; its keys are always integers.
        tree.flags = UInt16(MDB_INTEGERKEY)
        try walk(tree, named: "of free pages", progress) { verifier, node, page in
            var list: [UInt8]
            let value = node.key.upperBound
            if node.flags & Self.isElsewhere != 0 {
                let start: UInt64 = verifier.current.span.littleEndian(at: value)
                let pages = UInt64((Self.headerBytes - 1 + node.valueBytes) / verifier.reader.pageBytes + 1)
                guard let bytes = try verifier.reader.pages(at: start, count: pages) else { return }
                list = Array(bytes[Self.headerBytes..<Self.headerBytes + node.valueBytes])
            } else {
                list = Array(verifier.current[value..<value + node.valueBytes])
            }
            let count: UInt64 = list.count < 8 ? .max : list.span.littleEndian(at: 0)
            guard count < UInt64(list.count / 8) else {
                return verifier.note(page, "has a list of free pages that is cut off")
            }
            for index in 0..<Int(count) {
                let free: UInt64 = list.span.littleEndian(at: 8 + 8 * index)
                guard verifier.faults.count < verifier.limit, verifier.take(free, 1, isFree: true) else { return }
            }
        }
    }

    // MARK: What is noted

    /// Marks pages as belonging to something.
    ///
    /// - Returns: False if they can't, which is noted.
    private mutating func take(_ page: UInt64, _ count: UInt64, isFree: Bool = false) -> Bool {
        guard page >= 2, page <= meta.lastPage, count <= meta.lastPage - page + 1 else {
            note(page, "is named as one of a table, and isn't one of the file's \(meta.lastPage + 1) pages")
            return false
        }
        for number in page..<page + count {
            let (word, bit) = (Int(number / 64), UInt64(1) << (number % 64))
            guard word < taken.count else {
                // A free page at the end may never have been written.
                if !isFree { note(number, "is in use, but the file ends before it") }
                return isFree
            }
            guard taken[word] & bit == 0 else {
                note(number, isFree ? "is said to be free, and is in use" : "is in use twice")
                return false
            }
            taken[word] |= bit
        }
        return true
    }

    private mutating func note(_ page: UInt64, _ reason: String) {
        if faults.count < limit { faults.append(PageFault(page: page, reason: reason)) }
    }
}
