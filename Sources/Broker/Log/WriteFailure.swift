internal import Foundation
internal import LMDB

/// Tells a full disk from a broken one.
enum WriteFailure {
    /// Less than this and a disk counts as full.
    private static let leastFreeBytes = 64 << 20

    /// Whether `error` came for want of room in `directory`, so that trying again later makes sense.
    ///
    /// LMDB reports a short write as EIO, which a dying disk gives as well: then it is looked at whether there is room.
    static func isForWantOfSpace(_ error: any Error, directory: String) -> Bool {
        guard let error = error as? LMDBError, error.isOutOfSpace else { return false }
        guard error.code == EIO else { return true }
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: directory)
        if let free = attributes?[.systemFreeSize] as? NSNumber, free.intValue < leastFreeBytes { return true }
        return isGrowthRefused(in: directory)
    }

    /// Whether the log's file may not grow although the disk has room: a quota, or a limit on the size of files.
    private static func isGrowthRefused(in directory: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: directory + "/data.mdb")
        guard let size = (attributes?[.size] as? NSNumber)?.intValue else { return false }
        let probe = directory + "/room-probe"
        guard FileManager.default.createFile(atPath: probe, contents: nil) else { return false }
        defer { try? FileManager.default.removeItem(atPath: probe) }
        guard let file = FileHandle(forWritingAtPath: probe) else { return false }
        let refusal = posix_fallocate(file.fileDescriptor, off_t(size), off_t(leastFreeBytes))
        return [EFBIG, ENOSPC, EDQUOT].contains(refusal)
    }
}
