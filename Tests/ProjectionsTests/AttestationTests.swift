import Cryptography
import LMDB
import Testing

@testable import Broker
@testable import Projections

/// What the log says that a view held is held against a replay.
struct AttestationTests {
    /// A log with views, `rounds` times some events and what each view was found to hold.
    private func attested(seed: UInt64, rounds: Int, redacts: Bool = false) async throws -> (TestLog, Views) {
        print("seed \(seed)")
        let test = try TestLog()
        var scenario = Scenario(seed: seed, redacts: redacts)
        let views = try test.openViews(options: .init(batchEvents: 9))
        try views.start()
        for _ in 0..<rounds {
            // Between attestations the scenario would count offsets wrong.
            try test.append(test.log.head == 0 ? scenario.events(90) : filler(test))
            try await settle(test, views)
            for projection in Views.projections { try attest(projection, test, views) }
        }
        try await settle(test, views)
        return (test, views)
    }

    /// Some messages between the first two accounts of the log.
    private func filler(_ test: TestLog) -> [TestEvent] {
        let (one, other) = (test.events[0].actor, test.events[1].actor)
        return (0..<20).map { .sent("\(test.log.head) \($0)", from: $0 % 3 == 0 ? one : other, to: one) }
    }

    private func settle(_ test: TestLog, _ views: Views) async throws {
        test.announce(to: views)
        try await views.settle(at: test.log.head)
    }

    private func attest(_ projection: any Projection.Type, _ test: TestLog, _ views: Views) throws {
        guard case .attest(let found, let offset) = try #require(try views.attestation(of: projection)) else {
            Issue.record("no attestation")
            return
        }
        try test.append([.attested(found, at: offset)])
    }

    private func verify(_ projection: any Projection.Type, _ test: TestLog, _ views: Views) throws -> Verification {
        try views.verify(
            projection,
            scratch: test.folder("scratch"),
            attestations: AttestedDigests(in: test.log)
        )
    }

    @Test(arguments: [31, 32] as [UInt64]) func `every attestation of a live view is borne out by a replay`(
        seed: UInt64
    ) async throws {
        let (test, views) = try await attested(seed: seed, rounds: 5, redacts: seed == 32)
        let found = try AttestedDigests(in: test.log)
        #expect(found.unreadable.isEmpty)
        for projection in Views.projections {
            let entries = found.entries(of: projection)
            #expect(entries.count == 5)
            #expect(entries.allSatisfy { $0.reference < $0.event })
            #expect(found.count(ofOtherVersionsOf: projection) == 0)
            let verification = try verify(projection, test, views)
            #expect(verification.attestationsChecked == 5)
            #expect(verification.isIdentical)
            // Without being asked, none is looked at.
            let plain = try views.verify(projection, scratch: test.folder("scratch"))
            #expect(plain.attestationsChecked == 0)
        }
        views.stop()
    }

    @Test func `attestations from before a redaction hold after it`() async throws {
        let (test, views) = try await attested(seed: 33, rounds: 3)
        let before = test.log.head
        for (index, event) in test.events.enumerated() {
            switch event.payload {
            case .messageSent, .messageEdited, .roomCreated, .userLoggedIn:
                try test.append([.redacted(Offset(index) + 1, event)])
            default: continue
            }
        }
        #expect(test.log.head > before + 50)
        try await settle(test, views)
        for projection in Views.projections {
            let verification = try verify(projection, test, views)
            #expect(verification.attestationsChecked == 3)
            #expect(verification.isIdentical)
        }
        views.stop()
    }

    @Test func `an attestation of where a view stands is checked once`() async throws {
        let (test, views) = try await attested(seed: 36, rounds: 1)
        // The views aren't told of it, and stay where they are.
        try attest(UsersProjection.self, test, views)
        let verification = try verify(UsersProjection.self, test, views)
        #expect(verification.live.checkpoint.offset == test.log.head - 1)
        #expect(verification.attestationsChecked == 2)
        #expect(verification.isIdentical)
        views.stop()
    }

    @Test func `a false attestation is named, and those around it hold`() async throws {
        let (test, views) = try await attested(seed: 34, rounds: 2)
        let version = UInt32(RoomsProjection.version)
        let wrong = EventPayload.AttestedView(name: "rooms", version: version, digest: SHA256.hash([1].span))
        let event = try test.append([.attested([wrong], at: 50)])
        // At the offset of a true one as well.
        let reference = try AttestedDigests(in: test.log).entries(of: RoomsProjection.self)[1].reference
        try test.append([.attested([wrong], at: reference)])
        try await settle(test, views)
        let verification = try verify(RoomsProjection.self, test, views)
        #expect(verification.attestationsChecked == 4)
        #expect(!verification.isIdentical)
        #expect(verification.difference == nil)
        #expect(verification.refuted.map(\.attested.event) == [event, event + 1])
        #expect(verification.refuted.map(\.attested.reference) == [50, reference])
        let first = try #require(verification.refuted.first)
        #expect(first.description.hasPrefix("event \(event) attests that the view rooms had the digest "))
        #expect(first.description.contains(" at 50; a replay gives \(first.replayed)"))
        #expect(try verify(UsersProjection.self, test, views).isIdentical)
        views.stop()
    }

    @Test func `what is of another version, of another view or beyond the view isn't checked`() async throws {
        let (test, views) = try await attested(seed: 35, rounds: 1)
        let digest = SHA256.hash([1].span)
        let version = UInt32(UsersProjection.version)
        try test.append([
            .attested([.init(name: "users", version: version + 1, digest: digest)], at: 10),
            .attested([.init(name: "elsewhere", version: version, digest: digest)], at: 10),
            .attested([.init(name: "users", version: version, digest: digest)], at: 1_000_000),
            .attested([.init(name: "users", version: version, digest: digest)], at: 0),
        ])
        try await settle(test, views)
        let found = try AttestedDigests(in: test.log)
        #expect(found.count(ofOtherVersionsOf: UsersProjection.self) == 1)
        let verification = try verify(UsersProjection.self, test, views)
        #expect(verification.attestationsChecked == 1)
        #expect(verification.isIdentical)
        views.stop()
    }

    @Test func `an attestation whose payload somebody took away is found`() async throws {
        let (test, views) = try await attested(seed: 36, rounds: 1)
        let offset = Offset(try #require(test.events.firstIndex { $0.type == .viewAttested })) + 1
        try test.append([.redacted(offset, test.events[Int(offset) - 1])])
        let found = try AttestedDigests(in: test.log)
        #expect(found.unreadable == [offset])
        views.stop()
    }

    @Test func `an empty view and a damaged one are not attested`() async throws {
        let test = try TestLog()
        let views = try test.openViews()
        try views.start()
        for projection in Views.projections {
            let command = try views.attestation(of: projection)
            #expect(command == nil, "\(projection.name)")
        }
        let alice = Identifier(high: 1, low: 1)
        try test.append([.registered(alice, "alice")])
        try await settle(test, views)
        let store = try #require(views.users.view.store)
        let row = try store.environment.read { transaction in
            guard let value = try transaction.value(of: Key(alice).span, in: store.tables[0]) else {
                return [] as [UInt8]
            }
            return [UInt8](copying: value)
        }
        var damaged = row
        damaged[row.count - 1] ^= 1
        try store.environment.write { try $0.put(damaged.span, for: Key(alice).span, in: store.tables[0]) }
        #expect(throws: ViewDamaged.self) { try views.attestation(of: UsersProjection.self) }
        views.stop()
    }
}
