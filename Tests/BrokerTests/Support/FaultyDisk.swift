import Foundation
import Testing

/// Takes the disk away from under an open log, by putting another device in the place of its open file.
///
/// `/dev/full` refuses each write for want of space, as a full disk does. `/dev/null` takes each write and fails to
/// flush it. What is read comes from the map and goes on.
struct FaultyDisk {
    private let descriptor: Int32
    private let original: Int32

    /// Replaces the file of the log in `directory` by `device`, until ``repair()``.
    init(device: String, under directory: String) throws {
        let file = URL(filePath: directory + "/data.mdb").resolvingSymlinksInPath().path
        descriptor = try #require(try Self.descriptors(of: file).first, "the log isn't open")
        original = dup(descriptor)
        let replacement = try #require(FileHandle(forUpdatingAtPath: device))
        #expect(dup2(replacement.fileDescriptor, descriptor) == descriptor)
        try replacement.close()
    }

    func repair() {
        #expect(dup2(original, descriptor) == descriptor)
        close(original)
    }

    /// The descriptors of this process that read and write `file`.
    ///
    /// LMDB has another one, for its meta pages, that only writes.
    private static func descriptors(of file: String) throws -> [Int32] {
        let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init)
        return all.filter { descriptor in
            guard (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")) == file,
                let information = try? String(contentsOfFile: "/proc/self/fdinfo/\(descriptor)", encoding: .utf8),
                let line = information.split(separator: "\n").first(where: { $0.hasPrefix("flags:") }),
                let flags = Int32(line.dropFirst(6).trimmingCharacters(in: .whitespaces), radix: 8)
            else { return false }
            return flags & O_ACCMODE == O_RDWR
        }
    }
}

/// Runs a program and tells whether it succeeded.
@discardableResult
func run(_ program: String, _ arguments: String...) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    do { try process.run() } catch { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}
