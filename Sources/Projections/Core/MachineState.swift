internal import Foundation

/// Whether a view can be trusted after a start: a file in its folder, `open <boot id>` while the view is in use,
/// `clean` after it was flushed, and `building` while it is made anew and nobody may read it.
///
/// Views are written without flushes. A crash of the process loses nothing, because the kernel still has the pages; a
/// crash of the machine may leave anything. The boot id tells the two apart.
enum MachineState {
    /// The id that the kernel gives each boot of the machine.
    static func currentBootID() -> String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        // Without one every unclean stop counts as a crash of the machine: slower, never wrong.
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? UUID().uuidString
    }

    /// Why the view in `directory` can't be trusted; nil if it can.
    static func reasonForDistrust(of directory: String, bootID: String) -> String? {
        guard let text = try? String(contentsOfFile: path(in: directory), encoding: .utf8) else {
            return "its state file is missing"
        }
        if text == "clean\n" || text == "open \(bootID)\n" { return nil }
        if text == "building\n" { return "its rebuild was never finished" }
        return text.hasPrefix("open ") ? "the machine stopped while it was open" : "its state file is unreadable"
    }

    /// Marks the view in `directory` as in use.
    ///
    /// Returns when that is on disk.
    static func markOpen(_ directory: String, bootID: String) throws { try write("open \(bootID)\n", in: directory) }

    /// Marks the view in `directory` as not finished.
    ///
    /// Returns when that is on disk.
    static func markBuilding(_ directory: String) throws { try write("building\n", in: directory) }

    /// Marks the view in `directory` as flushed.
    ///
    /// Returns when that is on disk.
    static func markClean(_ directory: String) throws { try write("clean\n", in: directory) }

    private static func path(in directory: String) -> String { directory + "/state" }

    private static func write(_ text: String, in directory: String) throws {
        let path = path(in: directory)
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path]) }
        }
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw CocoaError(.fileWriteNoPermission, userInfo: [NSFilePathErrorKey: path])
        }
        // A torn write reads as neither state: the view is rebuilt.
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: Data(text.utf8))
        try file.synchronize()
        try file.close()
    }
}
