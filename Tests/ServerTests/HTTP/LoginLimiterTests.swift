import NIOCore
import Testing

@testable import Server

@Suite struct LoginLimiterTests {
    private let start = ContinuousClock.now
    private let home = address("203.0.113.1")
    private let elsewhere = address("203.0.113.2")

    private static func address(_ text: String) -> ClientAddress {
        guard let peer = try? SocketAddress(ipAddress: text, port: 1),
            let address = ClientAddress(peer: peer, forwardedFor: [], trustedProxies: [])
        else { preconditionFailure("\(text) is no address") }
        return address
    }

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func `so many failures a minute are let in and one more is not`() {
        var limiter = LoginLimiter(perAccount: 10, perAddress: 100)
        for second in 0..<10 {
            #expect(limiter.begin(account: "a", from: home, now: at(Double(second))) == nil)
        }
        #expect(limiter.begin(account: "a", from: home, now: at(10)) == .seconds(50))
        #expect(limiter.begin(account: "a", from: home, now: at(59.5)) == .seconds(0.5))
        // The minute is over: all ten again.
        for _ in 0..<10 { #expect(limiter.begin(account: "a", from: home, now: at(60)) == nil) }
        #expect(limiter.begin(account: "a", from: home, now: at(60)) == .seconds(60))
    }

    @Test func `another account and another address have their own count`() {
        var limiter = LoginLimiter(perAccount: 1, perAddress: 100)
        #expect(limiter.begin(account: "a", from: home, now: at(0)) == nil)
        #expect(limiter.begin(account: "a", from: home, now: at(0)) != nil)
        #expect(limiter.begin(account: "b", from: home, now: at(0)) == nil)
        #expect(limiter.begin(account: "a", from: elsewhere, now: at(0)) == nil)
    }

    @Test func `an address has one count over all accounts`() {
        var limiter = LoginLimiter(perAccount: 10, perAddress: 100)
        for index in 0..<100 {
            #expect(limiter.begin(account: "account \(index)", from: home, now: at(Double(index) / 10)) == nil)
        }
        #expect(limiter.begin(account: "fresh", from: home, now: at(30)) == .seconds(30))
        #expect(limiter.begin(account: "fresh", from: elsewhere, now: at(30)) == nil)
        #expect(limiter.begin(account: "fresh", from: home, now: at(60)) == nil)
    }

    @Test func `a try that is refused doesn't count`() {
        var limiter = LoginLimiter(perAccount: 1, perAddress: 2)
        #expect(limiter.begin(account: "a", from: home, now: at(0)) == nil)
        for _ in 0..<10 { #expect(limiter.begin(account: "a", from: home, now: at(1)) != nil) }
        #expect(limiter.begin(account: "b", from: home, now: at(2)) == nil)
    }

    @Test func `a success never counts`() {
        var limiter = LoginLimiter(perAccount: 2, perAddress: 2)
        #expect(limiter.begin(account: "a", from: home, now: at(0)) == nil)
        for _ in 0..<1_000 {
            #expect(limiter.begin(account: "a", from: home, now: at(0)) == nil)
            limiter.succeed(account: "a", from: home)
        }
        #expect(limiter.begin(account: "a", from: home, now: at(0)) == nil)
        #expect(limiter.begin(account: "a", from: home, now: at(0)) != nil)
    }

    @Test func `tries at once count before they have failed`() {
        var limiter = LoginLimiter(perAccount: 3, perAddress: 100)
        let admitted = (0..<1_000).filter { _ in limiter.begin(account: "a", from: home, now: at(0)) == nil }
        #expect(admitted.count == 3)
    }

    @Test func `zero switches a limit off`() {
        var off = LoginLimiter(perAccount: 0, perAddress: 0)
        for _ in 0..<1_000 { #expect(off.begin(account: "a", from: home, now: at(0)) == nil) }
        var perAddress = LoginLimiter(perAccount: 0, perAddress: 1)
        #expect(perAddress.begin(account: "a", from: home, now: at(0)) == nil)
        #expect(perAddress.begin(account: "b", from: home, now: at(0)) != nil)
    }

    @Test func `an IPv6 client can't escape within its network`() {
        var limiter = LoginLimiter(perAccount: 1, perAddress: 100)
        #expect(limiter.begin(account: "a", from: Self.address("2001:db8::1"), now: at(0)) == nil)
        #expect(limiter.begin(account: "a", from: Self.address("2001:db8::ffff:2"), now: at(0)) != nil)
        #expect(limiter.begin(account: "a", from: Self.address("2001:db8:0:1::1"), now: at(0)) == nil)
    }

    @Test func `accounts longer than any share one count`() {
        var limiter = LoginLimiter(perAccount: 1, perAddress: 100)
        let long = String(repeating: "x", count: 65)
        #expect(limiter.begin(account: long + "a", from: home, now: at(0)) == nil)
        #expect(limiter.begin(account: long + "b", from: home, now: at(0)) != nil)
        #expect(limiter.begin(account: String(repeating: "x", count: 64), from: home, now: at(0)) == nil)
    }

    @Test func `Retry-After is in whole seconds, rounded up`() {
        let door = LoginGuard(LoginLimiter(perAccount: 1, perAddress: 0))
        #expect(door.begin(account: "a", from: home, now: at(0)) == nil)
        #expect(door.begin(account: "a", from: home, now: at(0)) == 60)
        #expect(door.begin(account: "a", from: home, now: at(0.5)) == 60)
        #expect(door.begin(account: "a", from: home, now: at(59.999)) == 1)
        door.succeed(account: "a", from: home)
        #expect(door.begin(account: "a", from: home, now: at(59.999)) == nil)
    }

    // MARK: FailureWindow

    @Test func `memory is bounded and the first seen go first`() {
        var window = FailureWindow<Int>(limit: 1, maxKeys: 3)
        for key in 0..<5 { window.add(key, now: at(Double(key))) }
        #expect(window.count == 3)
        #expect((0..<5).map { window.wait(of: $0, now: at(5)) != nil } == [false, false, true, true, true])
        for key in 0..<10_000 { window.add(key, now: at(6)) }
        #expect(window.count == 3)
    }

    @Test func `what is over is forgotten`() {
        var window = FailureWindow<Int>(limit: 1, maxKeys: 1_000)
        for key in 0..<100 { window.add(key, now: at(Double(key))) }
        #expect(window.wait(of: 39, now: at(99)) == nil)
        #expect(window.count == 60)
        #expect(window.wait(of: 99, now: at(158.5)) == .seconds(0.5))
        #expect(window.count == 1)
        #expect(window.wait(of: 99, now: at(159)) == nil)
        #expect(window.count == 0)
    }

    @Test func `the window agrees with a plain model`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var window = FailureWindow<Int>(limit: 3, maxKeys: 1_000)
        // Per key the times of its failures in the window that is open, the first of which opened it.
        var model: [Int: [Double]] = [:]
        var now = 0.0
        for step in 0..<5_000 {
            now += Double.random(in: 0...4, using: &random)
            let key = Int.random(in: 0..<20, using: &random)
            if let first = model[key]?.first, first + 60 <= now { model[key] = nil }
            let isFull = model[key, default: []].count >= 3
            #expect((window.wait(of: key, now: at(now)) != nil) == isFull, "seed \(seed), step \(step)")
            if !isFull {
                window.add(key, now: at(now))
                model[key, default: []].append(now)
            }
        }
    }

    private struct SeededGenerator: RandomNumberGenerator {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        /// SplitMix64 (Steele, Lea, Flood 2014).
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
