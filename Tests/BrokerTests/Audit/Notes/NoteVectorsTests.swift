import Cryptography
import LMDB
import Testing

@testable import Broker

/// Keys, notes, checkpoints and proofs, byte for byte as Go's reference implementation and the specifications say.
@Suite struct NoteVectorsTests {
    private let log: SampleLog
    private var vectors: TlogVectors { log.vectors }

    init() throws { log = try SampleLog() }

    @Test func `the log's key is the reference's, from its seed and from its text`() throws {
        let keys = vectors.note
        let seed = decode(hexadecimal: keys.logSeedHex)
        let name = try #require(NoteKeyName(keys.logKeyName))
        let privateKey = Ed25519.PrivateKey(seed: seed.span)
        let key = SigningKey(name: name, privateKey: try #require(privateKey))
        #expect(key.verifierKey.publicKey.bytes == decode(hexadecimal: keys.logPublicHex))
        #expect(key.verifierKey.id == UInt32(keys.logKeyIdHex, radix: 16))
        #expect(key.verifierKey.description == keys.logVkey)
        #expect(key.secretText == keys.logSkeyGoFormat)
        #expect(try VerifierKey(keys.logVkey) == key.verifierKey)
        #expect(try SigningKey(secretText: keys.logSkeyGoFormat).verifierKey == key.verifierKey)
    }

    @Test func `the witness's key is the reference's`() throws {
        let keys = vectors.note
        let publicKey = Ed25519.PublicKey(bytes: decode(hexadecimal: keys.witnessPublicHex).span)
        let key = VerifierKey(
            name: try #require(NoteKeyName(keys.witnessKeyName)),
            algorithm: .cosignature,
            publicKey: try #require(publicKey)
        )
        #expect(key.id == UInt32(keys.witnessKeyIdHex, radix: 16))
        #expect(key.description == keys.witnessVkey)
        #expect(log.witnessKey == key)
    }

    @Test func `the example of the specification verifies`() throws {
        let example = vectors.note.specExample
        let note = try SignedNote(Array(example.note.utf8))
        let key = try VerifierKey(example.vkey)
        #expect(try note.verify(with: [key]).map(\.key) == [key])
        #expect(note.encode() == Array(example.note.utf8))
        #expect(key.description == example.vkey)
        #expect(String(decoding: note.text, as: UTF8.self) == "This is an example message.\n")
    }

    @Test func `checkpoints are the reference's, byte for byte`() throws {
        let tree = SampleTree(size: 70_000)
        #expect(vectors.checkpoints.map(\.size) == [0, 1, 100, 256, 300, 70_000])
        for vector in vectors.checkpoints {
            let root = MerkleTree.root(size: vector.size, with: SHA256(), read: tree.hash(of:))
            let checkpoint = LogCheckpoint(origin: log.logKey.name, size: vector.size, root: root)
            let note = try checkpoint.sign(with: log.signingKey)
            #expect(checkpoint.text == Array(vector.body.utf8))
            #expect(note.encode() == Array(vector.signedNote.utf8))
            #expect(try LogCheckpoint(text: Array(vector.body.utf8)) == checkpoint)
            #expect(try VerifiedCheckpoint(note, logKey: log.logKey).checkpoint == checkpoint)
        }
    }

    @Test func `cosigned checkpoints verify with the witness's key, and say when it signed`() throws {
        let keys = vectors.note
        let seed = decode(hexadecimal: keys.witnessSeedHex)
        let made = Ed25519.PrivateKey(seed: seed.span)
        let witness = try #require(made)
        for vector in vectors.checkpoints {
            let message = VerifierKey.cosignedMessage(Array(vector.body.utf8), seconds: keys.cosignatureTime)
            #expect(message == Array(vector.cosignedMessage.utf8))

            let note = try SignedNote(Array(vector.cosignedNote.utf8))
            #expect(note.encode() == Array(vector.cosignedNote.utf8))
            let verified = try VerifiedCheckpoint(note, logKey: log.logKey, witnesses: [log.witnessKey])
            #expect(verified.checkpoint.size == vector.size)
            #expect(
                verified.cosignatures == [VerifiedSignature(key: log.witnessKey, seconds: keys.cosignatureTime)]
            )

            var signed: [UInt8] = []
            signed.append(bigEndian: keys.cosignatureTime)
            signed += witness.sign(message.span)
            let cosignature = NoteSignature(name: log.witnessKey.name, id: log.witnessKey.id, bytes: signed)
            #expect(cosignature == note.signatures.last)
            #expect(cosignature.line + [UInt8(ascii: "\n")] == Array(vector.cosignatureLine.utf8))
        }
    }

    @Test func `the reference's verdicts on notes are ours`() throws {
        #expect(vectors.noteVerdicts.count == 11)
        for vector in vectors.noteVerdicts {
            var isAccepted = true
            do {
                let note = try SignedNote(Array(vector.note.utf8))
                _ = try VerifiedCheckpoint(note, logKey: log.logKey)
            } catch {
                isAccepted = false
                if vector.goVerdict.hasPrefix("invalid signature") {
                    let key = "\(vectors.note.logKeyName)+\(vectors.note.logKeyIdHex)"
                    #expect(error as? CheckpointError == .note(.invalidSignature(key: key)))
                } else if vector.goVerdict.contains("no verifiable") {
                    #expect(error as? CheckpointError == .note(.noKnownSignature))
                } else {
                    #expect(error is NoteError, "\(vector.why)")
                }
            }
            #expect(isAccepted == vector.accept, "\(vector.why): Go says \(vector.goVerdict)")
        }
    }

    @Test func `the proof file is the reference's, byte for byte, and verifies`() throws {
        let tree = SampleTree(size: 300)
        let proof = try InclusionProof.prove(index: 7, size: 300, with: SHA256(), read: tree.hash(of:))
        let note = try SignedNote(log.cosignedNote)
        let file = TlogProof(proof, note: note)
        #expect(file.encode() == log.proof)
        #expect(try TlogProof(log.proof) == file)
        let verified = try file.verify(
            leafHash: log.leafHash,
            logKey: log.logKey,
            witnesses: [log.witnessKey],
            with: SHA256()
        )
        #expect(verified.checkpoint.size == 300)
        #expect(verified.cosignatures.map(\.key) == [log.witnessKey])
    }

    @Test func `the exchange with a witness is the reference's, byte for byte, and verifies`() throws {
        let tree = SampleTree(size: 300)
        let proof = try ConsistencyProof.prove(from: 100, to: 300, with: SHA256(), read: tree.hash(of:))
        let note = try SignedNote(log.note)
        let file = TlogConsistency(proof, note: note)
        let body = Array(vectors.addCheckpointBodyOld100New300.utf8)
        #expect(file.encode() == body)
        #expect(try TlogConsistency(body) == file)

        let old = try LogCheckpoint(text: Array(vectors.checkpoints[2].body.utf8))
        #expect(old.size == 100)
        let verified = try file.verify(continuing: old, logKey: log.logKey, with: SHA256())
        #expect(verified.checkpoint.size == 300)

        // What a witness answers is the line that goes below the checkpoint.
        #expect(log.note + Array(vectors.addCheckpointResponse.utf8) == log.cosignedNote)
    }
}
