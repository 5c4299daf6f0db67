package import Broker
internal import Cryptography
internal import Dispatch
internal import Synchronization

/// One reading of the log for several views that are built at once, each on its own thread.
///
/// Each event is fetched, checked and, where a view asks for it, its payload hashed once, by the view that needs it
/// first; the others get the copy. Those that are ahead wait for the last one, so that few events are in memory. A view
/// that fails, or ends sooner, holds up nobody once it has left.
package final class SharedReading: Sendable {
    private let log: EventLog
    private let types: EventTypes
    private let heldBytes: Int
    private let state: Mutex<State>

    /// How many chunks of a quarter of a MiB the first view may be ahead of the last.
    private static let window = 32

    private struct State {
        /// Those that not all have taken, and the number of the first of them.
        var chunks: [LogChunk] = []
        var first = 0
        /// The last event of the newest.
        var end: Offset = 0
        /// Whether somebody is making the next one.
        var isMaking = false
        /// By view; nil for one that has left.
        var readers: [Progress?]
        var waiting: [Waiting] = []

        struct Progress {
            /// The number of the chunk that it wants or works on.
            var chunk = 0
            /// What it keeps in memory.
            var heldBytes = 0
        }

        struct Waiting {
            /// The number of the chunk that it wants.
            var chunk: Int
            var semaphore: DispatchSemaphore
        }

        /// Whether the view that wants the chunk `number` may make it.
        func mayMake(_ number: Int, window: Int) -> Bool { !isMaking && number < first + window }

        /// Forgets what nobody wants any more, and takes out those who needn't wait any longer.
        ///
        /// - Returns: What to do without the lock: freeing and waking take longer than all else here.
        mutating func change() -> Leftovers {
            var leftovers = Leftovers()
            let wanted = readers.compactMap { $0?.chunk }.min() ?? first + chunks.count
            if wanted > first {
                leftovers.chunks = chunks[..<(wanted - first)]
                chunks.removeFirst(wanted - first)
                first = wanted
            }
            let end = first + chunks.count
            // Who waits for the last view goes on when half of the window is free: not for one chunk at a time.
            let all = waiting
            waiting.removeAll()
            for one in all {
                if one.chunk < end || mayMake(one.chunk, window: SharedReading.window / 2) {
                    leftovers.semaphores.append(one.semaphore)
                } else {
                    waiting.append(one)
                }
            }
            return leftovers
        }
    }

    private struct Leftovers {
        var chunks: ArraySlice<LogChunk> = []
        var semaphores: [DispatchSemaphore] = []

        func wake() { for semaphore in semaphores { semaphore.signal() } }
    }

    private enum Step {
        case take(LogChunk)
        case make(after: Offset)
        case wait(DispatchSemaphore)
    }

    /// A reading of `log` from its beginning.
    ///
    /// - Parameters:
    ///   - projections: The views; each must have a reader that reads or leaves, or the others wait for ever.
    ///   - heldBytes: The most memory that all of them together may take for rows that aren't written yet.
    package init(_ log: EventLog, for projections: [any Projection.Type], heldBytes: Int = 2 * Rebuild.memoryBytes) {
        self.log = log
        self.heldBytes = heldBytes
        var types = EventTypes()
        for projection in projections { types.formUnion(projection.committedTypes) }
        self.types = types
        state = Mutex(State(readers: projections.map { _ in State.Progress() }))
    }

    /// The reader of the view with that index among the projections.
    package func reader(_ index: Int) -> Reader { Reader(reading: self, index: index) }

    fileprivate func chunk(_ number: Int, for reader: Int, with hasher: borrowing SHA256) throws -> LogChunk {
        while true {
            let (step, leftovers): (Step, Leftovers) = state.withLock { state in
                var leftovers = Leftovers()
                if let old = state.readers[reader]?.chunk, old != number {
                    state.readers[reader]?.chunk = number
                    if old == state.first { leftovers = state.change() }
                }
                if number < state.first + state.chunks.count {
                    return (.take(state.chunks[number - state.first]), leftovers)
                }
                if state.mayMake(number, window: Self.window) {
                    state.isMaking = true
                    return (.make(after: state.end), leftovers)
                }
                let semaphore = DispatchSemaphore(value: 0)
                state.waiting.append(State.Waiting(chunk: number, semaphore: semaphore))
                return (.wait(semaphore), leftovers)
            }
            leftovers.wake()
            switch step {
            case .take(let chunk): return chunk
            case .wait(let semaphore): semaphore.wait()
            case .make(let offset):
                let made = Result { try LogChunk(of: log, after: offset, committing: types, with: hasher) }
                let leftovers = state.withLock { state in
                    state.isMaking = false
                    if let chunk = try? made.get(), !chunk.isEmpty {
                        state.chunks.append(chunk)
                        state.end = chunk.last
                    }
                    return state.change()
                }
                leftovers.wake()
                return try made.get()
            }
        }
    }

    fileprivate func readApart(after offset: Offset, with hasher: borrowing SHA256) throws -> LogChunk {
        try LogChunk(of: log, after: offset, committing: types, with: hasher)
    }

    /// - Returns: Whether the view should write what it holds: it holds most of too much.
    fileprivate func note(heldBytes bytes: Int, by reader: Int) -> Bool {
        state.withLock { state in
            state.readers[reader]?.heldBytes = bytes
            let held = state.readers.map { $0?.heldBytes ?? 0 }
            return held.reduce(0, +) >= heldBytes && bytes >= held.max() ?? 0
        }
    }

    fileprivate func leave(_ reader: Int) {
        let leftovers = state.withLock { state in
            state.readers[reader] = nil
            return state.change()
        }
        leftovers.wake()
    }

    /// The place of one view in the log; confined to its thread.
    package struct Reader: Sendable {
        fileprivate let reading: SharedReading
        fileprivate let index: Int
        private var current: LogChunk?
        private var next = 0

        fileprivate init(reading: SharedReading, index: Int) {
            self.reading = reading
            self.index = index
        }

        /// Hands the events after `offset`, up to `last`, to `body` until it returns false or some are read.
        ///
        /// - Returns: The last event that was handed over or passed, as one of other types is; `offset` if there is
        ///   none.
        /// - Throws: ``EventLog/Damaged``; `LMDBError`; what `body` throws.
        mutating func read(
            after offset: Offset,
            upTo last: Offset,
            of types: EventTypes,
            with hasher: borrowing SHA256,
            _ body: (borrowing Record) throws -> Bool
        ) throws -> Offset {
            if let current, current.covers(offset + 1) {
                return try current.read(after: offset, upTo: last, of: types, body)
            }
            guard offset == current?.last ?? 0 else {
                // Again from an earlier event, as after one that can't be applied.
                return try reading.readApart(after: offset, with: hasher).read(
                    after: offset,
                    upTo: last,
                    of: types,
                    body
                )
            }
            let chunk = try reading.chunk(next, for: index, with: hasher)
            if !chunk.isEmpty {
                current = chunk
                next += 1
            }
            return try chunk.read(after: offset, upTo: last, of: types, body)
        }

        /// Tells how much memory the view takes.
        ///
        /// - Returns: Whether that should become less.
        func holds(_ bytes: Int) -> Bool { reading.note(heldBytes: bytes, by: index) }

        /// Lets the others go on without this view, which must not read any more.
        package func leave() { reading.leave(index) }
    }
}
