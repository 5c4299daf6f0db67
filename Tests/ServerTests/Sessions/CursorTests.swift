import Broker
import Testing

@testable import Server

/// Whatever happens in whatever order: each run of a cursor brings every event of its socket after its beginning, once
/// and in order, with the acks in their places and the end of a resume where stored events end.
@Suite struct CursorTests {
    /// Seeds that once failed.
    private static let keptSeeds: [UInt64] = []

    @Test func `in thousands of interleavings nothing is lost, doubled or out of order`() {
        let first = UInt64.random(in: 0..<1 << 32)
        var seen = Coverage()
        for seed in Self.keptSeeds + Array(first..<first + 4_000) {
            var simulation = CursorSimulation(seed: seed)
            simulation.run(steps: 60)
            let problem = Self.problem(in: simulation)
            #expect(problem == nil, "seed \(seed): add it to keptSeeds")
            if problem != nil { return }
            seen.take(simulation)
        }
        // A simulation in which nothing happens proves nothing.
        #expect(seen.acks > 1_000 && seen.events > 10_000 && seen.resumes > 1_000 && seen.owns > 100, "\(seen)")
    }

    @Test(arguments: 0..<7)
    func `a mistake in the cursor would be seen`(_ mistake: Int) {
        var found = false
        for seed in UInt64(0)..<300 where !found {
            var simulation = CursorSimulation(seed: seed)
            simulation.run(steps: 60)
            var runs = simulation.runs
            guard let index = runs.indices.last(where: { runs[$0].frames.count > 2 }) else { continue }
            switch mistake {
            case 0: runs[index].frames.remove(at: 1)
            case 1: runs[index].frames.insert(runs[index].frames[1], at: 1)
            case 2: runs[index].frames.swapAt(0, 1)
            case 3: runs[index].frames.removeFirst()
            case 4: runs[runs.count - 1].frames = runs[runs.count - 1].frames.dropLast()
            case 5: runs[index].frames.append(.resumed(1))
            default: runs[index].frames.append(.event(Offset(simulation.log.count) + 1, showsID: false))
            }
            found = Self.problem(in: simulation, runs: runs) != nil
        }
        #expect(found)
    }

    private struct Coverage {
        var acks = 0
        var events = 0
        var owns = 0
        var resumes = 0

        mutating func take(_ simulation: CursorSimulation) {
            for frame in simulation.runs.flatMap(\.frames) {
                switch frame {
                case .ack: acks += 1
                case .event(_, let showsID):
                    events += 1
                    owns += showsID ? 1 : 0
                case .resumed: resumes += 1
                }
            }
        }
    }

    /// What is wrong with what the client got; nil if nothing is.
    private static func problem(in simulation: CursorSimulation, runs: [CursorSimulation.Run]? = nil) -> String? {
        let runs = runs ?? simulation.runs
        for (index, run) in runs.enumerated() {
            let isLast = index == runs.count - 1
            var acks: Set<Offset> = []
            var stream: [CursorSimulation.Frame] = []
            var ends: [(offset: Offset, place: Int)] = []
            for frame in run.frames {
                switch frame {
                case .ack(let offset):
                    guard acks.insert(offset).inserted else { return "run \(index): two acks of \(offset)" }
                    stream.append(frame)
                case .event: stream.append(frame)
                case .resumed(let offset): ends.append((offset, stream.count))
                }
            }
            let expected = simulation.expected(after: run.after, acks: acks)
            // A run that was cut off has brought everything up to some place.
            guard isLast ? stream == expected : stream == Array(expected.prefix(stream.count)) else {
                return "run \(index) after \(run.after): \(stream) instead of \(expected)"
            }
            guard ends.count <= (run.isResume ? 1 : 0), !isLast || ends.count == (run.isResume ? 1 : 0) else {
                return "run \(index): \(ends.count) ends of its resume"
            }
            for end in ends where end.place != expected.count(where: { offset(of: $0) <= end.offset }) {
                return "run \(index): the resume ends in the wrong place, at \(end.offset)"
            }
        }
        return nil
    }

    private static func offset(of frame: CursorSimulation.Frame) -> Offset {
        switch frame {
        case .ack(let offset), .event(let offset, _), .resumed(let offset): offset
        }
    }
}
