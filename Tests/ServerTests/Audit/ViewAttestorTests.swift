import Broker
import Foundation
import Logging
import Testing

@testable import Projections
@testable import Server

struct ViewAttestorTests {
    /// A sample's log with views, a writer and an attestor, as a server has them.
    private struct Parts {
        let log: EventLog
        let views: Views
        let broker: Broker
        let attestor: ViewAttestor

        init(_ sample: SampleFolder, everyEvents: UInt64 = 1_000) throws {
            log = try EventLog(directory: sample.folder.log, mapBytes: 1 << 26)
            views = try Views(folder: ViewFolder(data: sample.folder.path, mapBytes: 1 << 26), log: log)
            broker = Broker(log: log)
            let trigger = AttestationTrigger(everyEvents: everyEvents)
            attestor = ViewAttestor(
                trigger: trigger,
                broker: broker,
                views: views,
                patience: .seconds(20),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            try broker.start(state: views, projected: log.head, subscribers: views.subscribers + [trigger])
            try views.start()
        }

        func stop() {
            broker.stop()
            views.stop()
        }

        /// The names of the views that are attested, each as often as it is.
        func attested() throws -> [String] {
            let found = try AttestedDigests(in: log)
            return Views.projections.flatMap { projection in
                found.entries(of: projection).map { _ in projection.name }
            }
        }
    }

    private let all = Views.projections.map { $0.name }

    @Test func `each view is attested as of where it is, and a replay bears it out`() async throws {
        let sample = try await SampleFolder()
        let parts = try Parts(sample)
        await parts.attestor.attest(at: SampleFolder.head)
        #expect(try parts.attested() == all)
        #expect(parts.log.head == SampleFolder.head + 4)
        let attestations = try AttestedDigests(in: parts.log)
        for projection in Views.projections {
            let entry = try #require(attestations.entries(of: projection).first)
            #expect(SampleFolder.head..<entry.event ~= entry.reference)
        }
        parts.stop()
        for projection in Views.projections {
            let verification = try Verification(
                of: projection,
                in: ViewFolder(data: sample.folder.path).directory(of: projection),
                log: parts.log,
                scratch: sample.folder.path + "/scratch",
                attestations: attestations
            )
            #expect(verification.attestationsChecked == 1)
            #expect(verification.isIdentical)
        }
    }

    @Test func `a view that can't be read is left out, and the others are attested`() async throws {
        let sample = try await SampleFolder()
        let parts = try Parts(sample)
        parts.views.rooms.view.stop()
        await parts.attestor.attest(at: SampleFolder.head)
        parts.stop()
        #expect(try parts.attested() == all.filter { $0 != "rooms" })
    }

    @Test func `the log's own growth calls for attestations, and they don't call for more`() async throws {
        let sample = try await SampleFolder()
        let parts = try Parts(sample, everyEvents: 20)
        let running = Task { await parts.attestor.run() }
        for number in 0..<5 {
            guard case .account = await parts.broker.execute(.admitGuest(try AccountName("guest \(number)"))) else {
                Issue.record("no guest")
                return
            }
        }
        let expected = all
        _ = try await waiting(for: "attestations") { try parts.attested() == expected ? true : nil }
        #expect(parts.log.head == SampleFolder.head + 5 + 4)
        running.cancel()
        await running.value
        parts.stop()
        #expect(try parts.attested() == all)
    }

    @Test func `an attestor that is to stop appends nothing any more`() async throws {
        let sample = try await SampleFolder()
        let parts = try Parts(sample)
        let (cancelled, _) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in cancelled {}
            await parts.attestor.attest(at: SampleFolder.head)
        }
        task.cancel()
        await task.value
        parts.stop()
        #expect(parts.log.head == SampleFolder.head)
    }

    @Test func `work that blocks is told of a cancellation`() async throws {
        let task = Task {
            try await BlockingWork.run { check in
                // Without end, were it not for the check.
                while true { try check() }
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
