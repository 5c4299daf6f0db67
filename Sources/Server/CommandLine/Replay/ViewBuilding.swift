import Broker
import Dispatch
import Foundation
import Projections

/// Work on several views, each on a thread of its own, which may take minutes.
enum ViewBuilding {
    /// Runs `body` for each view, for all at once, with its reader of one reading of `log`.
    ///
    /// The reader holds up the other views until it has left or `body` ends; else as ``each(_:progress:_:)``.
    static func each<Value: Sendable>(
        _ projections: [any Projection.Type],
        from log: EventLog,
        progress: @escaping ControlHandlers.Progress,
        _ body:
            @escaping @Sendable (
                any Projection.Type, SharedReading.Reader, @escaping Rebuild.Report
            ) throws -> Value
    ) async throws -> [Value] {
        let reading = SharedReading(log, for: projections)
        return try await each(Array(projections.enumerated()), progress: progress) { numbered, report in
            let reader = reading.reader(numbered.offset)
            defer { reader.leave() }
            return try body(numbered.element, reader, report)
        }
    }

    /// Runs `body` for each view, for all at once.
    ///
    /// - Parameters:
    ///   - projections: The views.
    ///   - progress: Told how far each view is, from any thread.
    ///   - body: Blocks. Must hand the report on to what it calls: that is where a cancelled task gives up.
    /// - Returns: The results in the order of `projections`.
    /// - Throws: The first error; the other views give up then.
    static func each<Item: Sendable, Value: Sendable>(
        _ projections: [Item],
        progress: @escaping ControlHandlers.Progress,
        _ body: @escaping @Sendable (Item, @escaping Rebuild.Report) throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (index: Int, value: Value).self) { group in
            var results = [Value?](repeating: nil, count: projections.count)
            for (index, projection) in projections.enumerated() {
                group.addTask { (index, try await onThread({ try body(projection, $0) }, progress: progress)) }
            }
            for try await done in group { results[done.index] = done.value }
            return results.compactMap(\.self)
        }
    }

    /// Runs `body`, which blocks, on a thread of its own, and gives up at its next report if the task is cancelled.
    static func onThread<Value: Sendable>(
        _ body: @escaping @Sendable (@escaping Rebuild.Report) throws -> Value,
        progress: @escaping ControlHandlers.Progress
    ) async throws -> Value {
        // A queue of its own has a thread of its own, whoever else waits; the global one has as many as there are
        // cores.
        try await BlockingWork.run(on: DispatchQueue(label: "view")) { check in
            try body { state in
                try check()
                progress(ReplayProgress(view: state.view, events: state.projected, of: state.target))
            }
        }
    }

    /// The views of those names, in the order in which they are best built; all of them if none is named.
    ///
    /// - Throws: ``CommandFailure`` with the status `usage` for an unknown name.
    static func projections(named names: [String]) throws -> [any Projection.Type] {
        let all = Views.projections
        for name in names where !all.contains(where: { $0.name == name }) {
            let known = all.map { $0.name }
            let nearest = NearestName.find(name, among: known).map { " Did you mean \($0)?" } ?? ""
            throw CommandFailure(
                "There is no view \(name.shownAsJSON).\(nearest) The views are \(known.joined(separator: ", ")).",
                status: .usage
            )
        }
        return all.filter { names.isEmpty || names.contains($0.name) }
    }
}
