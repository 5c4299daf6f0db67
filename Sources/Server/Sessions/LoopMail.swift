import NIOCore
import Synchronization

/// The way from one event loop to the others for what isn't in the log: typing and presence.
///
/// Empty until the dispatchers exist; what is sent before that has nobody to reach.
final class LoopMail: Sendable {
    private let boxes = Mutex<[(loop: any EventLoop, dispatcher: NIOLoopBound<Dispatcher>)]>([])

    /// The dispatchers, in the order of their indices.
    func open(_ boxes: [(loop: any EventLoop, dispatcher: NIOLoopBound<Dispatcher>)]) {
        self.boxes.withLock { $0 = boxes }
    }

    /// Runs `body` with each loop's dispatcher, on its loop, a moment later.
    func toAll(_ body: @escaping @Sendable (Dispatcher) -> Void) {
        for box in boxes.withLock({ $0 }) { box.loop.execute { body(box.dispatcher.value) } }
    }

    /// Runs `body` with the dispatcher of that index, on its loop, a moment later.
    func to(_ index: Int, _ body: @escaping @Sendable (Dispatcher) -> Void) {
        guard let box = boxes.withLock({ $0.indices.contains(index) ? $0[index] : nil }) else { return }
        box.loop.execute { body(box.dispatcher.value) }
    }
}
