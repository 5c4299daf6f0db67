package import Broker
internal import Foundation
internal import LMDB

/// A view that is made in order to be tampered with: what somebody who may write the data folder could do, shown and
/// tested.
///
/// Nothing else can be tampered with, because only ``init(of:from:in:)`` makes one, and it makes a new directory.
package struct ViewCopy: Sendable {
    let directory: String
    let projection: any Projection.Type

    /// Builds the view from all of `log`.
    ///
    /// - Parameter data: The data folder in which it is to be a view; must not have one of that name.
    package init(of projection: any Projection.Type, from log: EventLog, in data: String) throws {
        self.projection = projection
        directory = ViewFolder(data: data).directory(of: projection)
        try Rebuild.build(projection, from: log, into: directory)
    }

    /// Flips a bit in the last byte of the last row of `table`.
    ///
    /// - Returns: Whether there is one.
    package func flipBit(inTable name: String) throws -> Bool {
        let options = Environment.Options(tables: projection.tables.count + 1, isDurable: false)
        let environment = try Environment(path: directory, options: options)
        return try environment.write { transaction in
            let table = try transaction.openTable(name)
            var row: (key: [UInt8], value: [UInt8])?
            try transaction.scanBackwards(table) { key, value in
                row = ([UInt8](copying: key), [UInt8](copying: value))
                return false
            }
            guard var row, let last = row.value.popLast() else { return false }
            row.value.append(last ^ 1)
            try transaction.put(row.value.span, for: row.key.span, in: table)
            return true
        }
    }
}
