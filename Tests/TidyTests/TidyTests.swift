import Testing

/// The house rules, held against every file of the repository (after TigerBeetle's tidy).
@Suite struct TidyTests {
    @Test func `the files of the repository are found`() {
        let paths = Set(Repository.files.map(\.path))
        for path in ["Package.swift", "Sources/LMDB/Environment.swift", "Tests/TidyTests/TidyTests.swift"] {
            #expect(paths.contains(path))
        }
    }

    @Test(arguments: Repository.files.map(\.path))
    func `the house rules hold`(path: String) throws {
        let file = try #require(Repository.files.first { $0.path == path })
        for finding in HouseRules.all.flatMap({ $0(file) }) {
            Issue.record("\(finding)")
        }
    }

    @Test func `every page can be reached and no link leads nowhere`() {
        for finding in DocumentLinks.findings(in: Repository.files) {
            Issue.record("\(finding)")
        }
    }

    @Test func `no exception outlives its file`() {
        let paths = Set(Repository.files.map(\.path))
        let exceptions = Array(HouseRules.pointerFiles.keys) + Array(HouseRules.sleepingFiles.keys)
        #expect(exceptions.filter { !paths.contains($0) } == [])
    }
}
