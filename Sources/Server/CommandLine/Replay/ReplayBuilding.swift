import Broker
import Projections

/// `quipu replay --into DIR`: views as of an offset, left in a folder of their own.
struct ReplayBuilding: Sendable {
    let folder: DataFolder
    let into: String
    let to: OffsetOrTime?

    func run(_ projections: [any Projection.Type], _ bar: ReplayBar) async throws -> ReplayReport {
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        let end = try to?.last(in: log) ?? log.head
        let views = ViewFolder(data: DataFolder(into).path)
        let rows = try await ViewBuilding.each(projections, from: log) {
            bar.update($0)
        } _: { projection, reader, report in
            try Self.build(
                projection,
                from: log,
                through: reader,
                upTo: end,
                into: views.directory(of: projection),
                report: report
            )
        }
        return ReplayReport(kind: .built(into), rows: rows)
    }

    /// Builds one view in `directory`, which must not be there.
    static func build(
        _ projection: any Projection.Type,
        from log: EventLog,
        through reader: SharedReading.Reader? = nil,
        upTo end: Offset,
        into directory: String,
        report: Rebuild.Report
    ) throws -> ReplayReport.Row {
        let start = ContinuousClock.now
        let checkpoint = try Rebuild.build(
            projection,
            from: log,
            through: reader,
            upTo: end,
            into: directory,
            report: report
        )
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let store = try ViewStore(projection, readOnlyDirectory: directory)
        return ReplayReport.Row(events: checkpoint.offset, seconds: seconds, digest: try ViewDigest(store))
    }
}
