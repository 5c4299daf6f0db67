import Broker
import Cryptography
import Foundation
import Projections

/// What somebody who may write the data folder could do to it, and how it comes to light.
struct TamperAttack: Sendable {
    /// What an attack needs besides the copy that it is made on.
    struct Target: Sendable {
        /// The folder of the copy.
        var folder: DataFolder
        var log: LogCopy
        /// Three messages after one another, not the last.
        var messages: (Offset, Offset, Offset)
        /// Where the newest messages begin, which are cut off.
        var newest: Offset
        var head: Offset
        /// Makes the view of conversations in the copy, from the log as it is there.
        var makeView: @Sendable () throws -> ViewCopy
        /// Puts another key in the place of the log's, and leaves a checkpoint by it in this file.
        var forge: @Sendable () throws -> String
    }

    /// A command by which somebody looks, and whether it finds the attack.
    struct Look: Equatable, Sendable {
        /// Says who looks with what.
        var title: String
        var options: Options
        var finds: Bool

        struct Options: OptionSet, Sendable {
            var rawValue: Int
            /// A checkpoint that somebody kept from before.
            static let oldCheckpoint = Options(rawValue: 1)
            /// The checkpoint that the attacker has made.
            static let forgedCheckpoint = Options(rawValue: 2)
            /// The log's verifier key, got before.
            static let key = Options(rawValue: 4)
        }
    }

    var name: String
    /// What is found out by what, in a word or two.
    var caughtBy: String
    var looks: [Look]
    /// Does it, and says what was done, in which file.
    var perform: @Sendable (Target) throws -> String

    private static let byItself = Look(title: "the folder alone", options: [], finds: true)
    private static let nothing = Look(title: "the folder alone shows nothing", options: [], finds: false)
    private static let withCheckpoint = Look(
        title: "with a checkpoint kept from before",
        options: [.oldCheckpoint, .key],
        finds: true
    )
    private static let words = "what was never said"

    static let all: [TamperAttack] = [
        TamperAttack(name: "flip a bit", caughtBy: "the record's checksum", looks: [byItself]) { target in
            let place = try target.log.flipBit(ofEventAt: target.messages.1)
            return "byte \(place) of log/data.mdb, in the text of message \(target.messages.1)"
        },
        TamperAttack(name: "drop a message", caughtBy: "the gap in the offsets", looks: [byItself]) { target in
            try target.log.drop(target.messages.1)
            return "event \(target.messages.1) taken out of log/data.mdb"
        },
        TamperAttack(name: "swap two messages", caughtBy: "the leaves of the tree", looks: [byItself]) { target in
            try target.log.swap(target.messages.0, target.messages.1)
            return "events \(target.messages.0) and \(target.messages.1) in log/data.mdb"
        },
        TamperAttack(
            name: "rewrite a message, with its checksum",
            caughtBy: "the leaves of the tree",
            looks: [byItself]
        ) { target in
            try target.log.rewrite(target.messages.1, content: words)
            return "event \(target.messages.1) in log/data.mdb has another text and a right checksum"
        },
        TamperAttack(
            name: "rewrite a message, and compute the whole tree anew",
            caughtBy: "an earlier checkpoint",
            looks: [nothing, withCheckpoint]
        ) { target in
            try target.log.rewrite(target.messages.1, content: words)
            try target.log.recomputeTree()
            return "event \(target.messages.1) and all hashes over it in log/data.mdb: the log fits itself"
        },
        TamperAttack(
            name: "cut off the newest events, with their tree",
            caughtBy: "an earlier checkpoint",
            looks: [nothing, withCheckpoint]
        ) { target in
            try target.log.truncate(after: target.newest - 1)
            try target.log.recomputeTree()
            return "events \(target.newest) to \(target.head) and their hashes taken out of log/data.mdb"
        },
        TamperAttack(name: "change a row of a view", caughtBy: "a replay of the log", looks: [byItself]) { target in
            guard try target.makeView().flipBit(inTable: "messages") else {
                throw CommandFailure("the view of conversations has no message")
            }
            return "the last message of views/conversations shows another letter; the log is as it was"
        },
        TamperAttack(
            name: "forge a checkpoint with another key",
            caughtBy: "the log's verifier key",
            looks: [
                Look(title: "with the folder's key shows nothing", options: .forgedCheckpoint, finds: false),
                Look(title: "with the key got before", options: [.forgedCheckpoint, .key], finds: true),
            ]
        ) { target in
            try target.log.rewrite(target.messages.1, content: words)
            try target.log.recomputeTree()
            let file = try target.forge()
            return
                "event \(target.messages.1) and the tree rewritten, \(AuditKey.fileName) replaced, and \(file) signed"
        },
    ]
}
