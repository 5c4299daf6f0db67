import Cryptography
import Foundation
import Projections

// The rebuild of views inside a running server: beside the live ones, then an atomic switch.

extension QuipuServer {
    /// Rebuilds the named views, all if none is named. Blocks.
    func replay(_ names: [String], _ progress: @escaping ControlHandlers.Progress) throws -> [ReplayedView] {
        let projections = try names.map { name in
            guard let projection = Views.projection(named: name) else {
                throw CommandFailure("there is no view \(name)", status: .usage)
            }
            return projection
        }
        return try (projections.isEmpty ? Views.projections : projections).map { projection in
            let start = ContinuousClock.now
            try services.views.rebuild(projection) { step in
                progress(ReplayProgress(view: step.view, events: step.projected, of: step.target))
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let digest = try services.views.digest(of: projection)
            return ReplayedView(
                view: projection.name,
                events: digest.checkpoint.offset,
                seconds: seconds,
                digest: digest.digest.description
            )
        }
    }
}

/// Work that blocks, on a thread of its own: the tasks' threads are as many as the cores.
enum Blocking {
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Swift.Result { try body() }) }
            thread.name = "replay"
            thread.start()
        }
    }
}
