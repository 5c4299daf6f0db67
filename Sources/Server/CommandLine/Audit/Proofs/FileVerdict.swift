import Broker

/// What `quipu audit verify` says of a file.
struct FileVerdict: Sendable {
    enum Outcome: String, Sendable {
        case verified
        case refuted
        /// It can't be told.
        case unknown
    }

    let outcome: Outcome
    /// Whether it says that the log continues the older checkpoint.
    let isContinuation: Bool
    private let file: String
    /// What is proven, or why nothing is.
    private let sentence: String
    private let details: [(name: String, text: String)]
    /// The same for machines.
    private let object: JSONObjectWriter

    /// - Parameters:
    ///   - file: As it was named.
    ///   - sentence: What is proven, or why nothing is.
    ///   - details: What else there is to say, a line each; safe to show on a terminal.
    ///   - addDetails: Adds the same for machines.
    init(
        _ file: String,
        _ outcome: Outcome,
        _ sentence: String,
        isContinuation: Bool = false,
        details: [(name: String, text: String)] = [],
        addDetails: (inout JSONObjectWriter) -> Void = { _ in }
    ) {
        self.file = file
        self.outcome = outcome
        self.sentence = sentence
        self.isContinuation = isContinuation
        self.details = details
        var object = JSONObjectWriter()
        object.text("file", file)
        object.text("result", outcome.rawValue)
        object.text(outcome == .verified ? "proven" : "reason", sentence)
        addDetails(&object)
        self.object = object
    }

    /// A file that proves something.
    init(_ file: String, _ finding: AuditFinding) {
        let isContinuation = if case .continuation = finding.proven { true } else { false }
        self.init(file, .verified, finding.sentence, isContinuation: isContinuation, details: finding.details) {
            finding.append(to: &$0)
        }
    }

    /// A file that proves nothing.
    init(_ file: String, _ error: any Error) {
        let failure = CommandFailure(auditing: error)
        self.init(file, failure.status == .failure ? .refuted : .unknown, failure.message)
    }

    /// Appends the verdict, with the end of its line.
    func append(asJSON: Bool, to bytes: inout [UInt8]) {
        guard !asJSON else {
            bytes.append(contentsOf: object.finished + [UInt8(ascii: "\n")])
            return
        }
        let word =
            switch outcome {
            case .verified: "verified"
            case .refuted: "REFUTED"
            case .unknown: "CAN'T BE TOLD"
            }
        var lines = ["\(TerminalText.escape(file)): \(word): \(TerminalText.escape(sentence))"]
        let columns = details.map(\.name.count).max() ?? 0
        for detail in details { lines.append("  " + TerminalText.pad(detail.name, to: columns) + detail.text) }
        for line in lines { bytes.append(contentsOf: (line + "\n").utf8) }
    }
}
