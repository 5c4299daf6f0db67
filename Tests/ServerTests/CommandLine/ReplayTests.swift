import Broker
import Cryptography
import Foundation
import Projections
import Synchronization
import Testing

@testable import Server

struct ReplayTests {
    private let all = Views.projections
    private let settings: Settings = {
        var settings = Settings()
        settings.views.mapBytes = 1 << 26
        return settings
    }()

    @Test func `rebuilt views are those that were there`() async throws {
        let sample = try await SampleFolder()
        let before = try await verify(sample)
        #expect(!before.differs)
        #expect(before.rows.map(\.view) == all.map { $0.name })
        #expect(before.rows.allSatisfy { $0.events == SampleFolder.head && $0.offset == SampleFolder.head })
        let report = try await ReplaySwitching(folder: sample.folder, settings: settings).run(all, bar)
        #expect(report.kind == .switched)
        #expect(report.rows.map(\.digest) == before.rows.map(\.digest))
        #expect(try await verify(sample).rows.map(\.digest) == before.rows.map(\.digest))
    }

    @Test func `a verification leaves nothing behind`() async throws {
        let sample = try await SampleFolder()
        let before = try contents(sample.folder.path)
        _ = try await verify(sample, to: .offset(3))
        #expect(try contents(sample.folder.path) == before)
    }

    @Test(arguments: Views.projections.map { $0.name })
    func `a view that isn't what the log says is found`(name: String) async throws {
        let sample = try await SampleFolder()
        let views = ViewFolder(data: sample.folder.path)
        // A view as of an earlier event in the place of the one in use, which says that it has come further.
        let other = try await SampleFolder()
        let projection = try #require(Views.projection(named: name))
        try FileManager.default.removeItem(atPath: views.directory(of: projection))
        try FileManager.default.copyItem(
            atPath: ViewFolder(data: other.folder.path).directory(of: projection),
            toPath: views.directory(of: projection)
        )
        let report = try await verify(sample)
        #expect(report.differs)
        #expect(report.rows.filter { $0.difference != nil }.map(\.view) == [name])
        #expect(report.lines.last == "different")
        #expect(try report.json().contains("\"identical\":false"))
    }

    @Test func `views of the past are built elsewhere`() async throws {
        let sample = try await SampleFolder()
        let into = sample.folder.path + "/past/"
        for end in [0, 1, 7, 15] as [Offset] {
            let report = try await ReplayBuilding(folder: sample.folder, into: into, to: .offset(end)).run(all, bar)
            #expect(report.rows.allSatisfy { $0.offset == end })
            let verified = try await verify(sample, to: .offset(end))
            #expect(verified.rows.map(\.past?.digest) == report.rows.map { Optional($0.digest) })
            await #expect(throws: Rebuild.DirectoryExists.self) {
                try await ReplayBuilding(folder: sample.folder, into: into, to: nil).run(all, bar)
            }
            try FileManager.default.removeItem(atPath: into)
        }
    }

    @Test func `a server rebuilds its views when it is asked to, and they stay the same`() async throws {
        let sample = try await SampleFolder()
        let reports = Mutex<[ReplayProgress]>([])
        let before = try await verify(sample)
        do {
            let log = try sample.log()
            let views = try Views(folder: ViewFolder(data: sample.folder.path, mapBytes: 1 << 26), log: log)
            try views.start()
            defer { views.stop() }
            let rebuilt = try await ReplaySwitching.rebuild([], in: views) { report in
                reports.withLock { $0.append(report) }
            }
            #expect(rebuilt.map(\.view) == all.map { $0.name })
            #expect(rebuilt.allSatisfy { $0.events == SampleFolder.head })
            let one = try await ReplaySwitching.rebuild(["rooms"], in: views) { _ in }
            #expect(one.map(\.view) == ["rooms"])
        }
        let ends = reports.withLock { $0 }.filter { $0.events == $0.of }
        #expect(Set(ends.map(\.view)) == Set(all.map { $0.name }))
        #expect(try await verify(sample).rows.map(\.digest) == before.rows.map(\.digest))
    }

    @Test func `a cancelled rebuild stops at the next report and changes nothing`() async throws {
        let sample = try await SampleFolder()
        let log = try sample.log()
        let task = Task { () -> [Void] in
            try await ViewBuilding.each(all, progress: { _ in }) { projection, report in
                // Without end, were it not for the report.
                while true {
                    let directory = "\(sample.folder.path)/\(projection.name)"
                    try Rebuild.build(projection, from: log, into: directory, report: report)
                    try FileManager.default.removeItem(atPath: directory)
                }
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func `an unknown view is named, with the nearest known one`() {
        let failure = #expect(throws: CommandFailure.self) { try ViewBuilding.projections(named: ["user"]) }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains("Did you mean users?") == true)
    }

    @Test func `the report tells events, seconds, speed and digest`() throws {
        let row = ReplayReport.Row(view: "users", events: 3000, seconds: 1.5, digest: "ab", offset: 3000)
        #expect(
            ReplayReport(kind: .switched, rows: [row]).lines == [
                "users  3,000 events in 1.50 s (2,000 events/s)", "       digest ab at offset 3000",
                "rebuilt and switched",
            ]
        )
        let json = try ReplayReport(kind: .verified, rows: [row]).json()
        #expect(
            json
                == #"{"attestations_unreadable":[],"identical":true,"mode":"verify","#
                + #""views":[{"digest":"ab","events":3000,"events_per_second":2000,"#
                + #""identical":true,"offset":3000,"seconds":1.5,"view":"users"}]}"#
        )
    }

    @Test func `what the log attests of its views is checked, and a false attestation named`() async throws {
        let sample = try await SampleFolder()
        let directory = ViewFolder(data: sample.folder.path).directory(of: RoomsProjection.self)
        let right = try ViewDigest(ViewStore(RoomsProjection.self, readOnlyDirectory: directory)).digest
        func attested(_ digest: Digest, version: Int = RoomsProjection.version) -> SampleEvent {
            let view = EventPayload.AttestedView(name: "rooms", version: UInt32(version), digest: digest)
            return SampleEvent(
                type: .viewAttested,
                actor: .none,
                subject: .system,
                stream: .system,
                reference: SampleFolder.head,
                payload: .viewAttested([view])
            )
        }
        try sample.append([attested(right), attested(right, version: 999)])
        try await sample.project()
        let honest = try await verify(sample)
        #expect(!honest.differs)
        let rooms = try #require(honest.rows.first { $0.view == "rooms" })
        #expect(rooms.attestations == .init(checked: 1, ofOtherVersions: 1, refuted: []))
        #expect(honest.lines.contains { $0.hasSuffix("attestations: 1 checked, 1 hold") })
        #expect(honest.lines.contains { $0.hasSuffix("attestations of other versions of the view: 1, not checked") })

        let wrong = SHA256.hash([1].span)
        try sample.append([attested(wrong)])
        try await sample.project()
        let report = try await verify(sample)
        #expect(report.differs)
        #expect(report.rows.filter(\.differs).map(\.view) == ["rooms"])
        #expect(report.rows.allSatisfy { $0.difference == nil })
        #expect(report.lines.last == "different")
        #expect(report.lines.contains { $0.hasSuffix("attestations: 2 checked, 1 hold") })
        let line = "event 18 attests that the view rooms had the digest \(wrong) at 15; a replay gives \(right)"
        #expect(report.lines.contains { $0.hasSuffix(line) })
        let json = try report.json()
        #expect(json.contains("\"attestations_checked\":2,\"attestations_of_other_versions\":1"))
        #expect(
            json.contains(
                "\"attestations_refuted\":[{\"attested\":\"\(wrong)\",\"event\":18,\"offset\":15,"
                    + "\"replayed\":\"\(right)\"}]"
            )
        )
    }

    // MARK: Helpers

    private var bar: ReplayBar { ReplayBar(views: 4) }

    private func verify(_ sample: SampleFolder, to: OffsetOrTime? = nil) async throws -> ReplayReport {
        _ = try await waiting(for: "the log to be free") { try? sample.log() }
        return try await ReplayVerifying(folder: sample.folder, to: to).run(all, bar)
    }

    private func contents(_ path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
    }
}
