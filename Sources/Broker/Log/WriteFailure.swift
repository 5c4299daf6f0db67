internal import Foundation
internal import LMDB

/// Tells a full disk from a broken one.
enum WriteFailure {
    /// Whether `error` came for want of room in `directory`, so that trying again later makes sense.
    ///
    /// LMDB reports a short write as EIO, which a dying disk gives as well: then the free space decides.
    static func isForWantOfSpace(_ error: any Error, directory: String) -> Bool {
        guard let error = error as? LMDBError, error.isOutOfSpace else { return false }
        guard error.code == 5 else { return true }
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: directory)
        guard let free = attributes?[.systemFreeSize] as? NSNumber else { return false }
        return free.intValue < 64 << 20
    }
}
