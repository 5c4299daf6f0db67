import Foundation
import Testing

@testable import Server

@Suite final class ScratchFolderTests {
    private let folder = DataFolder(NSTemporaryDirectory() + "quipu-scratch-" + UUID().uuidString)

    init() throws { try folder.make() }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    private var entries: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    @Test func `what a killed process has left is removed, and what is in use or somebody else's is not`() throws {
        let files = FileManager.default
        try files.createDirectory(atPath: folder.path + "/verify-old/deep", withIntermediateDirectories: true)
        try files.createDirectory(atPath: folder.path + "/views", withIntermediateDirectories: true)
        let first = try ScratchFolder(in: folder)
        let second = try ScratchFolder(in: folder)
        ScratchFolder.removeStale(in: folder)
        let names = [first, second].map { URL(fileURLWithPath: $0.path).lastPathComponent }.sorted()
        #expect(try entries == names + ["views"])
        first.remove()
        second.remove()
        #expect(try entries == ["views"])
    }
}
