import Broker
import Foundation
import Projections

extension ControlHandlers {
    /// What a server with this log and these views does; `address` is where it serves, once it does.
    init(broker: Broker, views: Views, address: @escaping @Sendable () -> String? = { nil }) {
        self.init(
            status: {
                ControlStatus(
                    pid: getpid(),
                    address: address(),
                    log: broker.log.identity.description,
                    head: broker.log.head,
                    views: views.all.map { view in
                        .init(name: view.name, checkpoint: view.projected, failure: view.failure.map { "\($0)" })
                    }
                )
            },
            userAdd: { try await UserAdding.add($0, by: broker) },
            replay: { try await ReplaySwitching.rebuild($0, in: views, progress: $1) }
        )
    }
}
