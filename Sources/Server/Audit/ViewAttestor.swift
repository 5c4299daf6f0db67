import Broker
import Dispatch
import Logging
import Projections
import ServiceLifecycle

/// Appends to the log what each view holds, as often as its trigger says: a digest, that a replay must give as well.
///
/// One view after the other, each at the offset that it has come to. Nobody waits for it: it reads beside the view's
/// worker, and what it appends goes the way of all commands. A view that has failed or is far behind is left out.
struct ViewAttestor: Service {
    let trigger: AttestationTrigger
    let broker: Broker
    let views: Views
    /// How long a view may take to come as far as the log was.
    let patience: Duration
    let logger: Logger

    private let queue = DispatchQueue(label: "view-attestor", qos: .utility)

    init(trigger: AttestationTrigger, broker: Broker, views: Views, patience: Duration, logger: Logger) {
        self.trigger = trigger
        self.broker = broker
        self.views = views
        self.patience = patience
        self.logger = logger
    }

    /// Attests until graceful shutdown, which ends a digest that is under way.
    func run() async {
        await cancelWhenGracefulShutdown {
            for await offset in trigger.due { await attest(at: offset) }
        }
    }

    /// Attests each view as of `offset` or a later event.
    func attest(at offset: Offset) async {
        for view in views.all {
            guard !Task.isCancelled else { return }
            do {
                try await attest(view, at: offset)
            } catch is CancellationError {
                return
            } catch let damaged as ViewDamaged {
                logger.error("\(damaged): rebuild it with `quipu replay --view \(damaged.view)`")
            } catch {
                logger.warning("the view \(view.name) isn't attested at \(offset): \(error)")
            }
        }
    }

    private func attest(_ view: View, at offset: Offset) async throws {
        try await view.waitUntilProjected(offset, deadline: .now + patience)
        let (views, projection) = (views, view.projection)
        let command = try await BlockingWork.run(on: queue) { check in
            try views.attestation(of: projection, check: check)
        }
        guard let command else { return }
        guard case .stored(let event) = await broker.execute(command) else {
            throw CommandFailure(Session.notStoredText)
        }
        logger.info("the view \(view.name) is attested by event \(event)")
    }
}
