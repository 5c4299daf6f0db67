import Testing

@testable import Broker

/// Offsets that are taken from the front and the middle.
@Suite struct UnreadOffsetsTests {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `it holds what an array would`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var offsets = UnreadOffsets()
        var model: [Offset] = []
        var next: Offset = 1
        for step in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                next += .random(in: 0...3, using: &random)
                offsets.append(next)
                model.append(next)
                next += 1
            case 6..<9:
                let offset = Offset.random(in: 0...next, using: &random)
                offsets.remove(offset)
                model.removeAll { $0 == offset }
            default:
                let bound = Offset.random(in: (model.first ?? 1) - 1...next, using: &random)
                // Mostly a few, now and then all.
                let few = min(bound, (model.first ?? 0) + 4)
                let upTo = Int.random(in: 0..<8, using: &random) == 0 ? bound : few
                offsets.removeAll(upTo: upTo)
                model.removeAll { $0 <= upTo }
            }
            #expect(offsets.all == model, "seed \(seed), step \(step)")
        }
        offsets.removeAll(upTo: .max)
        #expect(offsets.all == [])
    }

    @Test func `what is taken from the middle and then passed counts once`() {
        var offsets = UnreadOffsets()
        for offset in 1...9 as ClosedRange<Offset> { offsets.append(offset) }
        for offset in [2, 3, 2] as [Offset] { offsets.remove(offset) }
        offsets.removeAll(upTo: 3)
        #expect(offsets.all == [4, 5, 6, 7, 8, 9])
        for offset in [9, 4, 6] as [Offset] { offsets.remove(offset) }
        #expect(offsets.all == [5, 7, 8])
        offsets.append(20)
        offsets.removeAll(upTo: 7)
        #expect(offsets.all == [8, 20])
    }
}
