import Synchronization

/// One progress bar over several views at once.
final class ReplayBar: Sendable {
    private let bar = ProgressBar(unit: "events")
    private let views: UInt64
    private let state = Mutex<[String: ReplayProgress]>([:])

    init(views: Int) { self.views = UInt64(views) }

    func update(_ progress: ReplayProgress) {
        let (done, longest) = state.withLock { state in
            state[progress.view] = progress
            return (state.values.reduce(0) { $0 + $1.events }, state.values.reduce(0) { max($0, $1.of) })
        }
        // A view that hasn't begun has as far to go as the others.
        bar.update(done: done, total: longest * views)
    }

    func finish() { bar.finish() }
}
