import Cryptography
import Foundation

@testable import Broker

/// What Go's reference implementation computed: `Vectors/tlog_vectors.json`; the page beside it explains each field.
struct TlogVectors: Decodable {
    struct Hashing: Decodable {
        var emptyTreeRoot, leaf0DataHex, leaf0Hash, leaf1Hash, leafHashOfEmptyString, nodeHashLeaf0Leaf1: String
    }
    struct Reference: Decodable {
        var leavesHex, rootsSize1To8: [String]
    }
    struct Inclusion: Decodable {
        var index, size: UInt64
        var leafHash, root: String
        var proof: [String]
    }
    struct Consistency: Decodable {
        var oldSize, newSize: UInt64
        var oldRoot, newRoot: String
        var proof: [String]
    }
    struct Tile: Decodable {
        var treeSize, index: UInt64
        var level, width, bytes: Int
        var path, goPath, sha256, firstHash, lastHash: String
    }
    struct Bundle: Decodable {
        var path, sha256, headHex: String
        var start, end, bytes: Int
    }
    struct TilePath: Decodable {
        var index: UInt64
        var level, width: Int
        var path: String
    }
    struct Keys: Decodable {
        struct Example: Decodable { var note, vkey: String }
        var cosignatureTime: UInt64
        var logKeyName, logKeyIdHex, logPublicHex, logSeedHex, logSkeyGoFormat, logVkey: String
        var witnessKeyName, witnessKeyIdHex, witnessPublicHex, witnessSeedHex, witnessVkey: String
        var specExample: Example
    }
    struct Checkpoint: Decodable {
        var size: UInt64
        var body, signedNote, cosignedMessage, cosignatureLine, cosignedNote: String
    }
    struct Verdict: Decodable {
        var accept: Bool
        var why, note, goVerdict: String
    }

    var hashing: Hashing
    var ctReference: Reference
    var roots0To300: [String]
    var rootsLarge: [String: String]
    var inclusionProofs: [Inclusion]
    var consistencyProofs: [Consistency]
    var tiles: [Tile]
    var entryBundles: [Bundle]
    var tilePaths: [TilePath]
    var note: Keys
    var checkpoints: [Checkpoint]
    var noteVerdicts: [Verdict]
    var tlogProofIndex7Size300, addCheckpointBodyOld100New300, addCheckpointResponse: String

    static func load() throws -> TlogVectors {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Vectors/tlog_vectors.json").standardized
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(TlogVectors.self, from: Data(contentsOf: file))
    }
}

/// The bytes of hexadecimal digits.
func decode(hexadecimal text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

extension Digest {
    /// The hash of 64 hexadecimal digits; nil for anything else.
    init?(hexadecimal text: String) { self.init(decode(hexadecimal: text).span) }
}
