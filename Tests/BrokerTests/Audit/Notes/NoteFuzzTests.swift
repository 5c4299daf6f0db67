import Cryptography
import Testing

@testable import Broker

/// Bytes that nobody would send: no reader crashes, and what is read is written as the same bytes again.
@Suite struct NoteFuzzTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `changed files are refused, or read and written as they are`(seed: UInt64) throws {
        let log = try SampleLog()
        let body = Array(log.vectors.addCheckpointBodyOld100New300.utf8)
        let seeds = [
            log.proof, log.cosignedNote, body, Array(log.vectors.note.logVkey.utf8), Array("tile/0/x001/234.p/7".utf8),
        ]
        var numbers = SplitMix(seed: seed)
        var read = 0
        for round in 0..<1500 {
            let file = change(seeds[round % seeds.count], with: &numbers)
            read += try check(file, "seed \(seed), round \(round)")
        }
        // Some changes do no harm to the form: a fuzz that never gets past the first line tests nothing.
        #expect(read > 30, "seed \(seed)")
    }

    @Test(arguments: [5, 6] as [UInt64])
    func `random bytes are refused`(seed: UInt64) throws {
        var numbers = SplitMix(seed: seed)
        let alphabet = Array("\n\n\u{2014} +=./0123456789abcdefghxpindextraoldtile".utf8)
        for round in 0..<1500 {
            let count = Int.random(in: 0...60, using: &numbers)
            let file = (0..<count).map { _ in
                round % 2 == 0
                    ? UInt8.random(in: 0...255, using: &numbers)
                    : alphabet[Int.random(in: 0..<alphabet.count, using: &numbers)]
            }
            #expect(try check(file, "seed \(seed), round \(round)") == 0, "seed \(seed), round \(round)")
        }
    }

    /// How many readers took `file`.
    private func check(_ file: [UInt8], _ comment: Comment) throws -> Int {
        var written: [[UInt8]] = []
        if let proof = try? TlogProof(file) { written.append(proof.encode()) }
        if let proof = try? TlogConsistency(file) { written.append(proof.encode()) }
        if let note = try? SignedNote(file) {
            written.append(note.encode())
            if let checkpoint = try? LogCheckpoint(text: note.text) { #expect(checkpoint.text == note.text, comment) }
        }
        if let checkpoint = try? LogCheckpoint(text: file) { written.append(checkpoint.text) }
        if let tile = try? TileCoordinate(path: file) { written.append(Array(tile.path.utf8)) }
        if let text = String(validating: file, as: UTF8.self), let key = try? VerifierKey(text) {
            written.append(Array(key.description.utf8))
        }
        if let entries = try? EntryBundle.decode(file.span, width: 2) { written.append(EntryBundle.encode(entries)) }
        for bytes in written { #expect(bytes == file, comment) }
        return written.count
    }

    /// The same with a few bytes changed, cut out, doubled or put in.
    private func change(_ file: [UInt8], with numbers: inout SplitMix) -> [UInt8] {
        var file = file
        for _ in 0..<Int.random(in: 1...2, using: &numbers) {
            let start = Int.random(in: 0..<max(1, file.count), using: &numbers)
            let end = min(file.count, start + Int.random(in: 0...4, using: &numbers))
            guard start < end else { continue }
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0: file[start] = UInt8.random(in: 0...255, using: &numbers)
            case 1: file.removeSubrange(start..<end)
            case 2: file.insert(contentsOf: file[start..<end], at: start)
            default: file[start] = file[Int.random(in: 0..<file.count, using: &numbers)]
            }
        }
        return file
    }
}
