import Foundation
import Projections

/// Work on several views, each on a thread of its own, which may take minutes.
enum ViewBuilding {
    /// How many views are built at once: each keeps a batch in memory, and the disk is one.
    private static let atOnce = 2

    /// Runs `body` for each view.
    ///
    /// - Parameters:
    ///   - projections: The views.
    ///   - progress: Told how far each view is, from any thread.
    ///   - body: Blocks. Must hand the report on to what it calls: that is where a cancelled task gives up.
    /// - Returns: The results in the order of `projections`.
    /// - Throws: The first error; the other views give up then.
    static func each<Value: Sendable>(
        _ projections: [any Projection.Type],
        progress: @escaping ControlHandlers.Progress,
        _ body: @escaping @Sendable (any Projection.Type, @escaping Rebuild.Report) throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (index: Int, value: Value).self) { group in
            var results = [Value?](repeating: nil, count: projections.count)
            for (index, projection) in projections.enumerated() {
                if index >= atOnce, let done = try await group.next() { results[done.index] = done.value }
                group.addTask {
                    (
                        index,
                        try await onThread {
                            try body(projection, $0)
                        } progress: {
                            progress($0)
                        }
                    )
                }
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
        try await BlockingWork.run { check in
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
