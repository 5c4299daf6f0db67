import NIOCore

/// Runs tasks on one event loop, between what its sockets have sent.
///
/// For work that is short and waits for the loop anyway: a hop to another thread and back costs more than it.
final class LoopTaskExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        // A job can be kept for later in no other way; it is run once, as it must be.
        let job = UnownedJob(job)
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
