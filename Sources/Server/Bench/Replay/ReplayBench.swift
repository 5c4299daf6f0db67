import Broker
import Cryptography
import Foundation
import Projections

/// All views made anew from a log, by this process.
struct ReplayBench: Sendable {
    let log: DataFolder
    /// Where the views go, in the place of those that are there.
    let views: ViewFolder

    /// - Returns: The figures, and the digest of each view, taken when the time was up.
    /// - Throws: ``BenchFailure`` if a view isn't at the end of the log.
    func run(bar: ProgressBar) async throws -> (BenchRound, [Digest]) {
        let log = try await EventLog.opening(directory: log.log, isReadOnly: true)
        let own = ProcessFigures.own
        own.forgetPeak()
        let (before, cpu) = (try own.residentBytes(), try own.cpuMicroseconds())
        let start = ContinuousClock.now
        let seconds = try await ViewBuilding.each(Views.projections, from: log) {
            bar.update(label: $0.view, done: $0.events, total: $0.of)
        } _: { [views] projection, reader, report in
            let start = ContinuousClock.now
            _ = try Rebuild.replace(projection, in: views, from: log, through: reader, report: report)
            return (ContinuousClock.now - start) / .seconds(1)
        }
        let all = (ContinuousClock.now - start) / .seconds(1)
        let events = Double(log.head)
        var round = BenchRound([(.eventsPerSecond, events / all)])
        for (projection, seconds) in zip(Views.projections, seconds) {
            round[.rate("events", of: projection.name)] = events / seconds
        }
        round[.serverCPU] = Double(try own.cpuMicroseconds() - cpu) / events
        round[.residentBefore] = Double(before)
        round[.residentPeak] = Double(try own.peakResidentBytes())
        // Only now, so that looking at the rows is no part of making them.
        let digests = try Views.projections.map { projection in
            let store = try ViewStore(projection, readOnlyDirectory: views.directory(of: projection))
            guard try store.checkpoint().offset == log.head else {
                throw BenchFailure("the view \(projection.name) isn't at the end of the log")
            }
            return try ViewDigest(store).digest
        }
        return (round, digests)
    }
}
