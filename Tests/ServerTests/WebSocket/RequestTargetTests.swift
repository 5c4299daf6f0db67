import Testing

@testable import Server

@Suite struct RequestTargetTests {
    @Test(arguments: [
        ("/", [""]),
        ("/ws", ["ws"]),
        ("/ws/", ["ws", ""]),
        ("//ws", ["", "ws"]),
        ("/ws/alice?x=/y", ["ws", "alice"]),
        ("/ws/a%2Fb", ["ws", "a/b"]),
        ("/ws/a+b", ["ws", "a+b"]),
        ("/ws/%e4%BD%A0", ["ws", "你"]),
        ("/ws/你", ["ws", "你"]),
        ("http://host:80/ws/1", ["ws", "1"]),
        ("HTTP://host/ws", ["ws"]),
    ])
    func `a path is split at its slashes, then decoded`(target: String, segments: [String]) throws {
        #expect(try RequestTarget(target).segments == segments)
    }

    @Test(arguments: [
        ("/ws?send_id=1&receive_id=2", "send_id", "1"),
        ("/ws?send_id=1&receive_id=2", "receive_id", "2"),
        ("/ws?send_id=1&send_id=2", "send_id", "1"),
        ("/ws?a+b=c+d", "a b", "c d"),
        ("/ws?a=%2B%26%3D", "a", "+&="),
        ("/ws?a=b=c", "a", "b=c"),
        ("/ws?a", "a", ""),
        ("/ws?&&a=1&", "a", "1"),
        ("/ws?=1", "", "1"),
        ("/ws?a=?", "a", "?"),
        ("/ws?%61=%00", "a", "\0"),
        ("/ws?a=1", "A", nil),
        ("/ws?a=1", "b", nil),
        ("/ws", "a", nil),
        // The Kelvin sign is canonically equivalent to the letter, but not the same bytes.
        ("/ws?%E2%84%AA=1", "K", nil),
    ])
    func `a query is read as Go reads it`(target: String, name: String, value: String?) throws {
        #expect(try RequestTarget(target).query(name) == value)
    }

    @Test(arguments: [
        "/%", "/%4", "/%4g", "/%-1", "/ws?a=%", "/ws?%zz=1", "/%ff", "/ws?a=%c3", "/ws?a=%ed%a0%80",
    ])
    func `a bad escape is refused`(target: String) {
        #expect(throws: RequestTarget.Invalid.badEscape) { _ = try RequestTarget(target) }
    }

    @Test(arguments: ["", "*", "ws", "host:80", "ftp://host/", "http://host"])
    func `what is no path is refused`(target: String) {
        #expect(throws: RequestTarget.Invalid.notAPath) { _ = try RequestTarget(target) }
    }
}
