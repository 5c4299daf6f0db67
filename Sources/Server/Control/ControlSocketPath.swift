import Foundation

/// The path by which the control socket is bound and reached.
///
/// SwiftNIO takes 103 bytes of path for a Unix socket (the kernel 107). A longer one goes by the folder's open file:
/// the kernel follows `/proc/self/fd/N` like the folder itself.
final class ControlSocketPath: Sendable {
    /// Valid as long as this object lives.
    let path: String
    private let directory: FileHandle?

    static let maximumByteCount = 103

    /// - Throws: ``CommandFailure`` if the folder can't be opened.
    init(_ folder: DataFolder) throws {
        guard folder.controlSocket.utf8.count > Self.maximumByteCount else {
            path = folder.controlSocket
            directory = nil
            return
        }
        guard let directory = FileHandle(forReadingAtPath: folder.path) else {
            throw CommandFailure("the data folder \(folder.path) can't be opened: \(POSIXError.describe(errno))")
        }
        self.directory = directory
        path = "/proc/self/fd/\(directory.fileDescriptor)/\(DataFolder.controlSocketName)"
    }
}
