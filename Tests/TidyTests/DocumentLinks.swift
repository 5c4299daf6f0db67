/// Every page in `docs/` can be reached from the README, and no link between them leads nowhere.
enum DocumentLinks {
    static func findings(in files: [SourceFile]) -> [Finding] {
        let pages = files.filter { $0.fileExtension == "md" && ($0.path == "README.md" || $0.path.hasPrefix("docs/")) }
        let paths = Set(files.map(\.path))
        var linked: Set<String> = []
        var findings: [Finding] = []
        for page in pages {
            for (line, target) in links(in: page) where target != page.path {
                linked.insert(target)
                guard target.hasPrefix("docs/"), !paths.contains(target) else { continue }
                let message = "a link to \(target), which isn't there; mend the link or write the page"
                findings.append(Finding(path: page.path, line: line, message: message))
            }
        }
        for file in files where file.path.hasPrefix("docs/") && !linked.contains(file.path) {
            let message = "no page links here; link it from README.md or from a page in docs/, or delete it"
            findings.append(Finding(path: file.path, line: 1, message: message))
        }
        return findings
    }

    /// The targets of `[text](target)` that are files of the repository, as paths from its root.
    static func links(in page: SourceFile) -> [(line: Int, target: String)] {
        page.lines.enumerated().flatMap { index, line in
            line.split(separator: "](").dropFirst().compactMap { rest -> (line: Int, target: String)? in
                let target = String(rest.prefix { $0 != ")" && $0 != "#" && $0 != " " })
                guard !target.isEmpty, !target.contains(":") else { return nil }
                return (index + 1, resolve(target, from: page.components.dropLast()))
            }
        }
    }

    private static func resolve(_ target: String, from folder: [String]) -> String {
        var path = target.hasPrefix("/") ? [] : folder
        for part in target.split(separator: "/") where part != "." {
            if part == ".." { _ = path.popLast() } else { path.append(String(part)) }
        }
        return path.joined(separator: "/")
    }
}
