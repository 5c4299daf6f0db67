/// The rules that no compiler checks, each a function from a file to what breaks it.
enum HouseRules {
    static let mostLines = 400
    static let mostColumns = 120

    /// The wrappers of the C libraries, and of the kernel's bare sockets, in which pointers stay.
    static let pointerTargets: Set<String> = ["Sources/LMDB", "Sources/Cryptography", "Sources/RawSockets"]

    /// Files elsewhere that may use pointers, each with the reason.
    static let pointerFiles: [String: String] = [
        "Sources/Server/Serving/LoopTaskExecutor.swift": "an executor can keep a job for later in no other way",
        "Sources/Server/Sessions/Session+Writing.swift": "NIO calls the access to a channel's socket unsafe",
    ]

    /// Tests that may sleep, each with the reason.
    static let sleepingFiles: [String: String] = [
        "Tests/Integration/harness.py": "another process tells nothing: its condition is looked at until a deadline"
    ]

    static let all: [@Sendable (SourceFile) -> [Finding]] = [
        { Architecture.findings(in: $0) },
        { pointers(in: $0) },
        { loose(in: $0) },
        { missingHeader(in: $0) },
        { tooLong(in: $0) },
        { sleeps(in: $0) },
        { machinePaths(in: $0) },
        { wideLines(in: $0) },
    ]

    /// Pointers and unchecked code outside the wrappers.
    static func pointers(in file: SourceFile) -> [Finding] {
        guard file.isSwift, !file.isGenerated, !file.isManifest else { return [] }
        guard !pointerTargets.contains(file.target), pointerFiles[file.path] == nil else { return [] }
        return find(in: file, lines: file.codeLines) { line in
            line.words.first { $0.lowercased().contains("unsafe") }.map { word in
                "\(word) outside \(pointerTargets.sorted().joined(separator: ", ")); use Span or arrays, or move it "
                    + "behind a wrapper"
            }
        }
    }

    /// Work that somebody left for later.
    static func loose(in file: SourceFile) -> [Finding] {
        // Put together here, so that this file doesn't break its own rule.
        let marks: Set<String> = ["FIX" + "ME", "TO" + "DO", "X" + "XX"]
        guard !file.isGenerated else { return [] }
        return find(in: file, lines: file.lines) { line in
            line.words.first(where: marks.contains).map { "\($0); do it now, or file an issue and take the mark out" }
        }
    }

    /// A source file must say what it is for before its first declaration; that of a `Type+Aspect.swift` may be an
    /// extension whose first member says it.
    ///
    /// Test suites are named after what they test, and their tests are sentences.
    static func missingHeader(in file: SourceFile) -> [Finding] {
        guard file.isCode, !file.isManifest, !(file.isSwift && file.path.hasPrefix("Tests/")) else {
            return []
        }
        for (index, line) in file.lines.enumerated() {
            let text = String(line.drop { $0 == " " })
            if ["//", "/*", "\"\"\""].contains(where: text.hasPrefix) { return [] }
            if text.hasPrefix("#"), ["py", "sh"].contains(file.fileExtension) {
                if index == 0, text.hasPrefix("#!") { continue }
                return []
            }
            let isSkipped = ["#", "@_spi", "extension ", "import ", "syntax ", "from "].contains(where: text.hasPrefix)
            if text.isEmpty || isSkipped || Architecture.imported(by: text) != nil { continue }
            let message = "no comment says what this file is for; write one before its first declaration"
            return [Finding(path: file.path, line: index + 1, message: message)]
        }
        return []
    }

    static func tooLong(in file: SourceFile) -> [Finding] {
        guard file.isCode else { return [] }
        // The last line ends with a line end, after which the split finds an empty one.
        let count = file.lines.count - (file.lines.last?.isEmpty == true ? 1 : 0)
        guard count > mostLines else { return [] }
        let message = "\(count) lines, over \(mostLines); it holds a second idea, which wants a file of its own"
        return [Finding(path: file.path, line: mostLines + 1, message: message)]
    }

    /// A test that sleeps is slow, and wrong on a slower machine.
    static func sleeps(in file: SourceFile) -> [Finding] {
        guard file.path.hasPrefix("Tests/"), file.isCode, sleepingFiles[file.path] == nil else { return [] }
        return find(in: file, lines: file.codeLines) { line in
            let code = file.fileExtension == "py" ? line.prefix { $0 != "#" } : line[...]
            // A sleep of 0 only lets others run.
            let others = String(code).replacing("sleep(0)", with: "")
            let word = others.words.first { ["sleep", "usleep", "nanosleep", "sleepForTimeInterval"].contains($0) }
            return word.map { "\($0) in a test; wait for a condition with a deadline" }
        }
    }

    /// Folders that only one machine has.
    static func machinePaths(in file: SourceFile) -> [Finding] {
        let folders = ["home", "root", "Users", "work"].map { "/" + $0 + "/" }
        return find(in: file, lines: file.lines) { line in
            for folder in folders {
                for range in line.ranges(of: folder) {
                    let before = line[..<range.lowerBound].last ?? " "
                    let after = line[range.upperBound...].first ?? " "
                    // `Tests/work/x` and `https://host/home/x` lie in no such folder.
                    let isPart = before.isLetter || before.isNumber || "_-.$)}~]".contains(before)
                    if !isPart, after.isLetter || after.isNumber {
                        return "\(folder) is a folder of one machine; use a path from the repository or a temporary one"
                    }
                }
            }
            return nil
        }
    }

    static func wideLines(in file: SourceFile) -> [Finding] {
        guard file.isCode || file.path == "Makefile" || file.path.hasPrefix(".ci/") else { return [] }
        return find(in: file, lines: file.lines) { line in
            line.count > mostColumns ? "\(line.count) columns, over \(mostColumns); break the line" : nil
        }
    }

    private static func find(
        in file: SourceFile,
        lines: [Substring],
        _ complaint: (Substring) -> String?
    ) -> [Finding] {
        lines.enumerated().compactMap { index, line in
            complaint(line).map { Finding(path: file.path, line: index + 1, message: $0) }
        }
    }
}
