import Foundation
import Testing

@testable import Broker

/// Attacks change copies only, and each shows what it is made to show.
@Suite struct LogCopyTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var found: [String]
        /// Whether the tree is another than before.
        var changesTree: Bool
        var perform: @Sendable (LogCopy) throws -> Void

        init(
            _ name: String,
            finds found: String...,
            changesTree: Bool = false,
            perform: @escaping @Sendable (LogCopy) throws -> Void
        ) {
            testDescription = name
            self.found = found
            self.changesTree = changesTree
            self.perform = perform
        }
    }

    static let attacks = [
        Attack("nothing") { _ in },
        Attack("a flipped bit", finds: "unreadable 300") { _ = try $0.flipBit(ofEventAt: 300) },
        Attack("a dropped event", finds: "missing 300", "revision 304") { try $0.drop(300) },
        Attack("two swapped", finds: "revision 300", "revision 304", "altered 300", "altered 304") {
            try $0.swap(300, 304)
        },
        Attack("one rewritten", finds: "altered 300") { try $0.rewrite(300, content: "never said") },
        Attack("one rewritten, and the tree", changesTree: true) {
            try $0.rewrite(300, content: "never said")
            try $0.recomputeTree()
        },
        Attack("the end cut off", finds: "missing 991-1000") { try $0.truncate(after: 990) },
        Attack("the end cut off, and the tree", changesTree: true) {
            try $0.truncate(after: 990)
            try $0.recomputeTree()
        },
        Attack("the tree made anew from the same events") { try $0.recomputeTree() },
    ]

    @Test(arguments: attacks)
    func `an attack shows what it should, and leaves the log as it was`(attack: Attack) throws {
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path + "/log", seed: 1)
            try tree.append(1000)
            let file = URL(fileURLWithPath: path + "/log/data.mdb")
            let before = try Data(contentsOf: file)
            let copy = try LogCopy(of: tree.log, in: path + "/copy")
            try attack.perform(copy)
            #expect(try Data(contentsOf: file) == before)
            let log = try EventLog(directory: copy.directory, isReadOnly: true)
            let verification = try log.verifyTree()
            #expect(verification.faults.map(Self.summary) == attack.found)
            #expect((verification.head != (try tree.log.treeHead())) == attack.changesTree)
        }
    }

    @Test func `no copy is made where there is something`() throws {
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path + "/log", seed: 1)
            try tree.append(10)
            #expect(throws: LogCopy.NotEmpty.self) { try LogCopy(of: tree.log, in: path + "/log") }
        }
    }

    private static func summary(_ fault: LogFault) -> String {
        let (first, last) = (fault.offsets.lowerBound, fault.offsets.upperBound)
        return first == last ? "\(fault.code) \(first)" : "\(fault.code) \(first)-\(last)"
    }
}
