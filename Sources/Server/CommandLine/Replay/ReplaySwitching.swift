import Broker
import Projections

/// `quipu replay`: the views in use are rebuilt and switched, by the server that has the folder or, without one, here.
struct ReplaySwitching: Sendable {
    let folder: DataFolder
    let settings: Settings

    func run(_ projections: [any Projection.Type], _ bar: ReplayBar) async throws -> ReplayReport {
        let replayed: [ReplayedView]
        switch try await FolderAccess.open(folder, command: "quipu replay") {
        case .server(let client):
            replayed = try await client.ask(.replay(views: projections.map { $0.name })) { bar.update($0) }
        case .alone(let lock):
            defer { lock.release() }
            replayed = try await replaceHere(projections, bar)
        }
        let views = ViewFolder(data: folder.path)
        let done = replayed
        let rows = try await ViewBuilding.each(projections) { _ in
        } _: { projection, _ in
            guard let view = done.first(where: { $0.view == projection.name }) else {
                throw CommandFailure("the server that runs here has not rebuilt the view \(projection.name)")
            }
            // Read beside the server, as of the checkpoint that the view has by now.
            let store = try ViewStore(projection, readOnlyDirectory: views.directory(of: projection))
            return ReplayReport.Row(events: view.events, seconds: view.seconds, digest: try ViewDigest(store))
        }
        return ReplayReport(kind: .switched, rows: rows)
    }

    private func replaceHere(_ projections: [any Projection.Type], _ bar: ReplayBar) async throws -> [ReplayedView] {
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        let views = ViewFolder(data: folder.path, mapBytes: settings.views.mapBytes)
        return try await ViewBuilding.each(projections, from: log) {
            bar.update($0)
        } _: { projection, reader, report in
            let start = ContinuousClock.now
            let checkpoint = try Rebuild.replace(projection, in: views, from: log, through: reader, report: report)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            return ReplayedView(view: projection.name, events: checkpoint.offset, seconds: seconds)
        }
    }

    /// What the running server does when it is asked to.
    static func rebuild(
        _ names: [String],
        in views: Views,
        progress: @escaping ControlHandlers.Progress
    ) async throws -> [ReplayedView] {
        let projections = try ViewBuilding.projections(named: names)
        return try await ViewBuilding.each(projections, from: views.log, progress: progress) {
            projection,
            reader,
            report in
            let start = ContinuousClock.now
            try views.rebuild(projection, through: reader, report: report)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let events = views.all.first { $0.name == projection.name }?.projected ?? 0
            return ReplayedView(view: projection.name, events: events, seconds: seconds)
        }
    }
}
