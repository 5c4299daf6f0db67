import ArgumentParser

/// On how long a log messages are measured.
struct HistoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Messages in the log beforehand, of others; all rounds then add to this log.",
            valueName: "n"
        )
    )
    var history = 0

    func validate() throws {
        guard 0...100_000_000 ~= history else { throw ValidationError("--history must be 0 to 100,000,000.") }
    }

    /// - Throws: `ValidationError` if the server's log can't be filled.
    func validate(with options: BenchOptions) throws {
        if history > 0, options.url != nil {
            throw ValidationError("--history needs a server of its own: another's log can't be filled.")
        }
    }

    /// Makes a data folder with such a log below `folder`.
    ///
    /// - Returns: Nil if there is to be no history.
    func data(in folder: DataFolder, bytes: Int, bar: ProgressBar) async throws -> DataFolder? {
        guard history > 0 else { return nil }
        let data = DataFolder(folder.path + "/data")
        try await BenchLog(messages: history, bytes: bytes).make(in: data, bar: bar)
        return data
    }

    /// For the report.
    var settings: [String: Int] { history > 0 ? ["history": history] : [:] }

    /// What to say after what was done.
    var words: String { history > 0 ? ", on a log of \(history.grouped) messages" : "" }
}
