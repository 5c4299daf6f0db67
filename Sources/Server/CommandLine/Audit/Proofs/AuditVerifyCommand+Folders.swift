extension AuditVerifyCommand {
    /// Verifies an export.
    func verifyFolder(_ path: String) async throws -> FileVerdict {
        throw CommandFailure("\(path.shownAsJSON) is a folder; name the files in it", status: .usage)
    }

    /// Verifies the log in the data folder.
    func verifyDataFolder() async throws {
        throw CommandFailure("no file is named", status: .usage)
    }
}
