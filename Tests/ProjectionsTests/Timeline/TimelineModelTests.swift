import Testing

@testable import Broker
@testable import Projections

/// Timelines of random histories, against a filter of the whole log.
struct TimelineModelTests {
    @Test(arguments: [81, 82, 83, 84, 85, 86, 87, 88] as [UInt64])
    func `every scope gives what a filter of the log gives, in slices of any size`(seed: UInt64) throws {
        print("seed \(seed)")
        let test = try TestLog()
        var random = SeededRandom(seed: seed)
        var scenario = Scenario(
            seed: seed,
            accounts: 2 + random.below(6),
            rooms: 1 + random.below(12),
            redacts: seed > 84
        )
        let views = try test.openViews()
        var conversations = try Projector(#require(views.conversations.view.store), log: test.log)
        var rooms = try Projector(#require(views.rooms.view.store), log: test.log)
        for _ in 0..<8 {
            try test.append(scenario.events(40 + random.below(160)))
            // One view may be ahead of the other, and both behind the log.
            _ = try conversations.advance(limit: random.oneIn(2) ? .max : 1 + random.below(200))
            _ = try rooms.advance(limit: random.oneIn(2) ? .max : 1 + random.below(200))
            for _ in 0..<60 {
                let scope = Self.scope(of: scenario, &random)
                let includesChanges = random.oneIn(2)
                var asOf = conversations.projected
                if case .conversation = scope {} else { asOf = min(asOf, rooms.projected) }
                let after: Offset = random.oneIn(5) ? 0 : Offset(random.below(Int(test.log.head) + 20))
                var timeline = try Timeline(scope, after: after, includesChanges: includesChanges, in: views)
                #expect(timeline.asOf == asOf)
                let expected = Model(events: test.events).timeline(
                    scope,
                    includesChanges: includesChanges,
                    accounts: scenario.accounts
                )
                .filter { $0 > after && $0 <= asOf }
                let found = try slices(of: &timeline, &random)
                #expect(found == expected, "\(scope) after \(after) as of \(asOf), changes \(includesChanges)")
            }
        }
    }

    /// ```
    /// reader              log and workers               rebuild
    /// open, next, …       append, commit, …             build, catch up, switch
    /// next, …             …                             …
    /// ```
    @Test(arguments: [91, 92, 93] as [UInt64])
    func `a timeline goes on over appends, rebuilds and switches without a gap or a repeat`(seed: UInt64) async throws {
        print("seed \(seed)")
        let test = try TestLog()
        var random = SeededRandom(seed: seed)
        var scenario = Scenario(seed: seed, rooms: 8)
        let views = try test.openViews(options: .init(batchEvents: 32))
        try views.start()
        try test.append(scenario.events(1500))
        test.announce(to: views)
        try await views.settle(at: 1500)
        var followers: [Follower] = []
        for account in scenario.accounts {
            for scope in [.everything(account), .rooms(account)] as [Timeline.Scope] {
                let timeline = try Timeline(scope, after: 0, includesChanges: true, in: views)
                followers.append(Follower(scope: scope, timeline: timeline))
            }
        }
        for round in 0..<12 {
            for index in followers.indices { try followers[index].advance(1 + random.below(60)) }
            try test.append(scenario.events(30))
            test.announce(to: views)
            try views.rebuild(round % 2 == 0 ? ConversationsProjection.self : RoomsProjection.self)
        }
        let model = Model(events: test.events)
        for var follower in followers {
            #expect(follower.timeline.asOf == 1500)
            while try follower.advance(.max) {}
            let expected = model.timeline(follower.scope, includesChanges: true, accounts: scenario.accounts)
            #expect(follower.found == expected.filter { $0 <= 1500 })
        }
        views.stop()
    }

    private struct Follower {
        var scope: Timeline.Scope
        var timeline: Timeline
        var found: [Offset] = []

        @discardableResult
        mutating func advance(_ limit: Int) throws -> Bool {
            let count = found.count
            try timeline.next(limit, into: &found)
            return found.count > count
        }
    }

    private static func scope(of scenario: Scenario, _ random: inout SeededRandom) -> Timeline.Scope {
        let accounts = scenario.accounts
        // Now and then somebody that nobody has heard of.
        let account = random.oneIn(15) ? Identifier(high: 0, low: 5) : accounts[random.below(accounts.count)]
        switch random.below(4) {
        case 0: return .conversation(.conversation(account, accounts[random.below(accounts.count)]))
        case 1: return .rooms(account)
        default: return .everything(account)
        }
    }

    /// All that is left, in slices of random sizes.
    private func slices(of timeline: inout Timeline, _ random: inout SeededRandom) throws -> [Offset] {
        var found: [Offset] = []
        // With or without having looked ahead.
        if random.oneIn(2) { while try !timeline.prepare(1 + random.below(3)) {} }
        while true {
            let limit = random.oneIn(4) ? 1 : 1 + random.below(random.oneIn(3) ? 2000 : 40)
            let before = found.count
            try timeline.next(limit, into: &found)
            #expect(found.count - before <= limit)
            guard found.count > before else { return found }
        }
    }
}
