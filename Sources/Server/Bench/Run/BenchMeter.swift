import Broker
import Foundation

/// Reads what server and client have used, before and after.
struct BenchMeter: Sendable {
    private let target: BenchTarget
    private let start: Reading

    /// What has been used until now.
    private struct Reading: Sendable {
        var at = ContinuousClock.now
        var serverCPU: Int?
        var clientCPU: Int
        var residentBytes: Int?
        var writtenBytes: Int?
        var logBytes: Int?
        var commits: Int?

        init(_ target: BenchTarget) async throws {
            serverCPU = try target.process?.cpuMicroseconds()
            clientCPU = try ProcessFigures.own.cpuMicroseconds()
            residentBytes = try target.process?.residentBytes()
            // Only who owns a process may see what it writes.
            writtenBytes = try? target.process?.writtenBytes()
            if let folder = target.folder {
                let file = try FileManager.default.attributesOfItem(atPath: folder.log + "/data.mdb")
                logBytes = (file[.size] as? NSNumber)?.intValue
                commits = try await EventLog.opening(directory: folder.log, isReadOnly: true).commits()
            }
        }
    }

    /// Measures from now on.
    init(_ target: BenchTarget) async throws {
        self.target = target
        start = try await Reading(target)
    }

    /// What was used since.
    ///
    /// - Parameters:
    ///   - rate: What is counted.
    ///   - units: How many of it were done.
    ///   - events: How many events were written; 0 leaves out what is reckoned by them.
    func round(rate: BenchMetric, units: Int, events: Int = 0, prefix: String = "") async throws -> BenchRound {
        let end = try await Reading(target)
        let seconds = (end.at - start.at) / .seconds(1)
        var round = BenchRound([(rate, Double(units) / max(seconds, 1e-9))])
        func each(_ count: Int) -> Double { Double(count) / Double(max(1, units)) }
        if let before = start.serverCPU, let after = end.serverCPU {
            round[.cpu("server", of: prefix)] = each(after - before)
        }
        // A server in this same process has it all.
        if target.process != .own { round[.cpu("client", of: prefix)] = each(end.clientCPU - start.clientCPU) }
        guard prefix.isEmpty else { return round }
        if let process = target.process, let before = start.residentBytes {
            round[.residentBefore] = Double(before)
            round[.residentPeak] = Double(try process.peakResidentBytes())
        }
        guard events > 0 else { return round }
        if let before = start.writtenBytes, let after = end.writtenBytes {
            round[.diskBytes] = Double(after - before) / Double(events)
        }
        if let before = start.logBytes, let after = end.logBytes {
            round[.logBytes] = Double(after - before) / Double(events)
        }
        if let before = start.commits, let after = end.commits, after > before {
            round[.eventsPerCommit] = Double(events) / Double(after - before)
        }
        return round
    }
}
