/// Why a command ends without having done what it should: a sentence for the person at the terminal, and the exit code.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
    /// What the process's exit code says.
    enum Status: Int32, Sendable {
        case success = 0
        /// It was tried and didn't work, or the answer is no.
        case failure = 1
        /// The command line or the configuration asks for something that can't be.
        case usage = 2
    }

    var message: String
    var status: Status

    init(_ message: String, status: Status = .failure) {
        self.message = message
        self.status = status
    }

    /// What to tell of `error`, whatever it is.
    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as SettingsError: self.init(error.description, status: .usage)
        case is CancellationError: self.init("interrupted")
        default: self.init(error.shortDescription)
        }
    }

    var description: String { message }
}
