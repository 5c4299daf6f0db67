import Broker
import Foundation
import Projections

extension ControlHandlers {
    /// What a server with this folder, log and views does; `address` is where it serves, once it does.
    init(
        folder: DataFolder,
        broker: Broker,
        views: Views,
        address: @escaping @Sendable () -> String? = { nil }
    ) {
        let erasing = Erasing(folder: folder, broker: broker, views: views)
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
            replay: { try await ReplaySwitching.rebuild($0, in: views, progress: $1) },
            // Begun, it is better ended, though whoever asked may have gone away.
            erase: { request, progress in try await Task { try await erasing.run(request, progress: progress) }.value }
        )
    }
}
