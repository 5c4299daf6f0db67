import Broker
import NIOCore

/// One dispatcher for each event loop, and the way of a committed batch to them: one task per loop and batch.
final class LoopDispatchers: CommitSubscriber {
    private let loops: [any EventLoop]
    private let bound: [NIOLoopBound<Dispatcher>]

    /// Makes the dispatchers.
    ///
    /// Blocks until each loop has run: only before the server serves.
    init(loops: [any EventLoop], services: SessionServices, position: Offset) throws {
        self.loops = loops
        bound = try loops.enumerated().map { index, loop in
            try loop.submit {
                NIOLoopBound(
                    Dispatcher(loop: loop, sink: index, services: services, position: position),
                    eventLoop: loop
                )
            }.wait()
        }
        services.loops.open(Array(zip(loops, bound)))
    }

    /// The dispatcher of the current event loop, which must be `loop`.
    func dispatcher(of loop: any EventLoop) -> Dispatcher {
        guard let index = loops.firstIndex(where: { $0 === loop }) else {
            preconditionFailure("a channel on an event loop that isn't the server's")
        }
        return bound[index].value
    }

    func committed(_ batch: CommittedBatch) {
        for (index, loop) in loops.enumerated() {
            let dispatcher = bound[index]
            // A loop that has nobody to tell still has to know how far the log is.
            loop.execute { dispatcher.value.dispatch(batch) }
        }
    }

    /// Pings and cuts silent sockets, once a second, as long as the loops run.
    func startTicking() {
        for (index, loop) in loops.enumerated() {
            let dispatcher = bound[index]
            loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                dispatcher.value.tick(now: .now())
            }
        }
    }

    /// What all sockets hold and wait for, each loop's counted on that loop.
    func counters() async throws -> SessionCounters {
        var all = SessionCounters()
        for (loop, dispatcher) in zip(loops, bound) {
            all.add(try await loop.submit { dispatcher.value.counters() }.get())
        }
        return all
    }

    /// Says good-bye to every socket, and returns when all are gone, or after `time`.
    func drain(within time: TimeAmount) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, loop) in loops.enumerated() {
                let dispatcher = bound[index]
                group.addTask {
                    let deadline = loop.makePromise(of: Void.self)
                    let timer = loop.scheduleTask(in: time) { deadline.succeed() }
                    loop.flatSubmit { dispatcher.value.drain(over: time) }.cascade(
                        to: deadline
                    )
                    try? await deadline.futureResult.get()
                    timer.cancel()
                }
            }
        }
    }
}
