/// What came of an attack.
struct TamperResult: Sendable {
    /// A command as it ended.
    struct Run: Equatable, Sendable {
        var command: String
        /// By a signal, whose number is the code.
        var wasKilled: Bool
        var code: Int32
        var printed: String

        /// What it found, or that it found nothing.
        var findings: [String] {
            let lines = printed.split(separator: "\n").map(String.init)
            return lines.filter { line in
                ["fault", "checkpoint", "key", "quipu:", "refuted"].contains { line.hasPrefix($0) }
                    || line == "verified"
                    || (line.hasPrefix("view ") && line.contains("different:"))
            }
        }
    }

    var number: Int
    var name: String
    var caughtBy: String
    /// What was done, in which file.
    var done: String
    private(set) var runs: [(look: TamperAttack.Look, run: Run)] = []

    init(number: Int, attack: TamperAttack, done: String) {
        self.number = number
        name = attack.name
        caughtBy = attack.caughtBy
        self.done = done
    }

    mutating func add(_ look: TamperAttack.Look, _ run: Run) { runs.append((look, run)) }

    /// Whether every look that should have found it did, by being refuted and not by failing.
    var isCaught: Bool {
        let codes = runs.map { $0.run.wasKilled ? -1 : $0.run.code }
        return zip(runs, codes).allSatisfy { !$0.look.finds || $1 == CommandFailure.Status.failure.rawValue }
            && runs.contains { $0.look.finds }
    }

    /// For people.
    var lines: [String] {
        var lines = ["\(number). \(name)", "   \(TerminalText.escape(done))"]
        for (look, run) in runs {
            lines.append("   \(look.title):")
            lines.append("   $ \(TerminalText.escape(run.command))")
            lines += run.findings.map { "     " + TerminalText.escape($0) }
            lines.append("     " + (run.wasKilled ? "killed by signal \(run.code)" : "exit code \(run.code)"))
        }
        lines.append(isCaught ? "   caught, by \(caughtBy)" : "   NOT CAUGHT")
        return lines
    }

    /// For machines.
    var json: JSONObjectWriter {
        var object = JSONObjectWriter()
        object.number("number", UInt64(number))
        object.text("attack", name)
        object.text("done", done)
        object.flag("caught", isCaught)
        object.text("caught_by", caughtBy)
        object.objects(
            "runs",
            runs.map { look, run in
                var object = JSONObjectWriter()
                object.text("with", look.title)
                object.text("command", run.command)
                object.text(run.wasKilled ? "signal" : "exit_code", String(run.code))
                object.flag("should_find", look.finds)
                object.text("printed", run.printed)
                return object
            }
        )
        return object
    }
}
