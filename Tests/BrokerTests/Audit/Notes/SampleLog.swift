import Cryptography

@testable import Broker

/// The log of the reference's vectors, its keys and files in which to change things.
struct SampleLog {
    let vectors: TlogVectors
    let signingKey: SigningKey
    let logKey: VerifierKey
    let witnessKey: VerifierKey

    init() throws {
        vectors = try TlogVectors.load()
        signingKey = try SigningKey(secretText: vectors.note.logSkeyGoFormat)
        logKey = try VerifierKey(vectors.note.logVkey)
        witnessKey = try VerifierKey(vectors.note.witnessVkey)
    }

    /// The checkpoint of 300 leaves as the log and a witness signed it.
    var cosignedNote: [UInt8] {
        vectors.checkpoints.first { $0.size == 300 }.map { Array($0.cosignedNote.utf8) } ?? []
    }

    /// The same, signed by the log alone.
    var note: [UInt8] { vectors.checkpoints.first { $0.size == 300 }.map { Array($0.signedNote.utf8) } ?? [] }

    /// The hash of leaf 7, of which ``proof`` speaks.
    var leafHash: Digest { MerkleTree.leafHash(of: SampleTree.leaf(7).span, with: SHA256()) }

    /// Proves leaf 7 of 300, with both signatures.
    var proof: [UInt8] { Array(vectors.tlogProofIndex7Size300.utf8) }
}

extension [UInt8] {
    /// The same with every `old` replaced.
    func replacing(_ old: String, with new: String) -> [UInt8] {
        Array(String(decoding: self, as: UTF8.self).replacing(old, with: new).utf8)
    }

    /// Where `text` begins; the end if it isn't there.
    func position(of text: String) -> Int {
        indices.first { self[$0...].starts(with: text.utf8) } ?? count
    }
}
