import Broker
import Synchronization
import Testing

@testable import Server

@Suite struct AccountDirectoryTests {
    private let ann = AccountID(high: 0xa, low: 1)
    private let bob = AccountID(high: 0xb, low: 2)

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `a name is looked up once, and escaped`() throws {
        let lookups = Atomic(0)
        let name = try AccountName("a\"n")
        let directory = AccountDirectory { [ann] id in
            lookups.add(1, ordering: .relaxed)
            return id == ann ? name : nil
        }
        for _ in 0..<3 { #expect(text(directory.escapedName(of: ann)) == "a\\\"n") }
        #expect(lookups.load(ordering: .relaxed) == 1)
        #expect(text(directory.escapedName(of: bob)) == bob.description)
    }

    @Test func `names of many come in their order, known or not`() throws {
        let old = try AccountName("old")
        let directory = AccountDirectory { [bob] in $0 == bob ? old : nil }
        let eve = AccountID(high: 0xe, low: 3)
        directory.insert(try AccountName("ann"), for: ann)
        func names(_ ids: [AccountID]) -> [String] {
            let names = directory.escapedNames(of: ids)
            return (0..<names.count).map { String(decoding: [UInt8](copying: names[$0]), as: UTF8.self) }
        }
        #expect(names([]).isEmpty)
        #expect(names([ann]) == ["ann"])
        #expect(names([bob, ann, eve, bob]) == ["old", "ann", eve.description, "old"])
        #expect(names([bob, ann]) == ["old", "ann"])
        directory.erase([ann])
        #expect(names([ann, bob]) == ["erased/\(ann)", "old"])
    }

    @Test func `an erased account's name is forgotten, and no view or late look-up brings it back`() throws {
        let old = try AccountName("old")
        let directory = AccountDirectory { _ in old }
        directory.insert(try AccountName("ann"), for: ann)
        directory.erase([ann])
        directory.insert(try AccountName("ann"), for: ann)
        #expect(text(directory.escapedName(of: ann)) == "erased/\(ann)")
        #expect((directory.isErased(ann), directory.isErased(bob)) == (true, false))
        #expect(text(directory.escapedName(of: bob)) == "old")
    }

    @Test func `whom a session wrote to last goes by its name until anybody is erased`() throws {
        let directory = AccountDirectory { _ in nil }
        let conversation = Command.Conversation(me: ann, peer: bob)
        let name = Array("bob".utf8)
        let peer = Session.Peer(name: name, conversation, try AccountName("bob"), directory)
        #expect((peer.isNamed(name, directory), peer.isNamed(Array("bo".utf8), directory)) == (true, false))
        directory.erase([])
        #expect(peer.isNamed(name, directory))
        directory.erase([bob])
        #expect(!peer.isNamed(name, directory))
        let later = Session.Peer(name: name, conversation, try AccountName("bob"), directory)
        #expect(later.isNamed(name, directory))
    }

    @Test func `what stands for an erased account is no name, and leads to it alone`() throws {
        let directory = AccountDirectory { _ in nil }
        directory.erase([ann])
        let label = AccountDirectory.label(ofErased: ann)
        #expect(throws: AccountName.Invalid.self) { try AccountName(label) }
        #expect(directory.erasedAccount(labelled: label) == ann)
        let others = [
            AccountDirectory.label(ofErased: bob), ann.description, "erased/", "erased/\(ann.uuidText)",
            label.uppercased(), label + " ", "",
        ]
        for other in others { #expect(directory.erasedAccount(labelled: other) == nil, "\(other)") }
    }
}
