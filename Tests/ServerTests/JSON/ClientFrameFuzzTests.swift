import Testing

@testable import Server

/// Our scanner against Foundation's JSONDecoder, on generated frames and on damaged ones: the same verdict, the same
/// fields.
@Suite struct ClientFrameFuzzTests {
    /// Where the two may differ, because the protocol wants what Foundation can't say.
    private enum Difference {
        /// None: verdict and fields must be the same.
        case none
        /// Foundation can't tell `1.0` from `1`, and forgets which of two equal keys was the last.
        case fields
        /// Halves of surrogate pairs are Go's U+FFFD for us, a number's size is no matter in an unknown field, and a
        /// comma before a closing bracket, which Foundation overlooks, is none of JSON.
        case verdict
    }

    @Test(arguments: [UInt64(21), 22, 23])
    func `the scanner and Foundation agree`(seed: UInt64) {
        print("seed \(seed)")
        var generator = FrameGenerator(seed: seed)
        var agreed = (taken: 0, refused: 0, validity: 0)
        for _ in 0..<2000 {
            let frame = generator.frame()
            let frames = [frame, generator.mutated(frame), generator.mutated(frame)]
            for bytes in frames where String(validating: bytes, as: UTF8.self) != nil {
                let ours = try? ClientFrame.parse(bytes.span)
                let theirs = FoundationFrame.read(bytes)
                switch difference(bytes) {
                case .verdict: continue
                case .fields:
                    // What we take is JSON at least.
                    if ours != nil, !isJSON(bytes) { report(bytes, seed) }
                    agreed.validity += 1
                case .none:
                    if !same(ours, theirs) { report(bytes, seed) }
                    if ours != nil { agreed.taken += 1 } else { agreed.refused += 1 }
                }
            }
        }
        // Else the generator makes nothing worth comparing.
        #expect(agreed.taken > 1000 && agreed.refused > 1000 && agreed.validity > 100, "\(agreed)")
    }

    private func report(_ bytes: [UInt8], _ seed: UInt64) {
        let ours = Result { () throws(BadRequest) in try ClientFrame.parse(bytes.span) }
        let theirs = FoundationFrame.read(bytes)
        Issue.record(
            "seed \(seed): \(String(decoding: bytes, as: UTF8.self)): \(ours), but \(String(describing: theirs))"
        )
    }

    /// Whether both refused the frame, or took it for the same.
    private func same(_ ours: ClientFrame?, _ theirs: ClientFrame?) -> Bool {
        guard var ours else { return theirs == nil }
        // We keep a reference as it was written, Foundation what it means.
        if let ref = ours.ref, ref.first == UInt8(ascii: "\"") { ours.ref = FoundationFrame.string(ref) }
        return ours == theirs
    }

    private func isJSON(_ bytes: [UInt8]) -> Bool {
        FoundationFrame.read(Array(#"{"x":"#.utf8) + bytes + Array("}".utf8)) != nil
    }

    private func difference(_ bytes: [UInt8]) -> Difference {
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        // Bare strings are cut out, so that what is left is structure and numbers.
        let structure = text.replacing(#/"(\\.|[^"\\])*"/#, with: "")
        let halves = text.replacing(#"\\"#, with: "").replacing(#/\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/#, with: "")
        if halves.contains(#/\\ud[89a-f]/#) || structure.contains(#/[0-9]{30}|e[+-]?[0-9]{3}/#) { return .verdict }
        if structure.contains(#/,\s*[}\]]/#) { return .verdict }
        // Foundation guesses at UTF-16 and UTF-32 from zeros at the beginning, and passes over a byte order mark.
        if bytes.prefix(4).contains(0) || text.hasPrefix("\u{feff}") { return .verdict }
        let keys = text.matches(of: #/"((?:\\.|[^"\\])*)"\s*:/#).map { match in
            FoundationFrame.string(Array("\"\(match.1)\"".utf8)) ?? []
        }
        if Set(keys).count < keys.count || structure.contains(#/-|[0-9][.e]/#) { return .fields }
        return .none
    }
}
