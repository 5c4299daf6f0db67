import NIOCore
import Testing

@testable import Server

@Suite struct ClientAddressTests {
    private static let proxies = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"].compactMap(AddressBlock.init)

    @Test(arguments: [
        // Nobody trusted: whatever the header says.
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),
        ("11.0.0.1", ["1.1.1.1"], "11.0.0.1"),
        // One proxy; what the client made up stands to the left.
        ("10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        ("192.0.2.7", ["203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1, 2.2.2.2, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1,2.2.2.2", " 203.0.113.9 "], "203.0.113.9"),
        // Two proxies in a row.
        ("10.1.2.3", ["1.1.1.1, 203.0.113.9, 10.9.9.9"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1", "203.0.113.9", "fd00::1"], "203.0.113.9"),
        // A client inside: the left-most that is known.
        ("10.1.2.3", ["10.4.4.4, 10.5.5.5"], "10.4.4.4"),
        ("10.1.2.3", [], "10.1.2.3"),
        // Past what can't be read nothing is believed.
        ("10.1.2.3", ["1.1.1.1, nonsense"], "10.1.2.3"),
        ("10.1.2.3", ["1.1.1.1, , 10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["1.1.1.1, unknown, 10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["0.0.0.0/0"], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        // Ports and zones.
        ("10.1.2.3", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.1.2.3", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.1.2.3", ["[2001:db8::1"], "10.1.2.3"),
        ("10.1.2.3", ["2001:db8::1"], "2001:db8::1"),
        ("10.1.2.3", ["fe80::1%eth0"], "fe80::1"),
        // IPv4 in IPv6's clothes, as a socket for both has it.
        ("::ffff:10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("fd12::1", ["2001:db8::1"], "2001:db8::1"),
        ("fe12::1", ["2001:db8::1"], "fe12::1"),
    ])
    func `the client is who the last trusted proxy was called by`(
        peer: String,
        forwardedFor: [String],
        client: String
    ) throws {
        let address = ClientAddress(
            peer: try SocketAddress(ipAddress: peer, port: 1),
            forwardedFor: forwardedFor,
            trustedProxies: Self.proxies
        )
        #expect(address?.description == client)
    }

    @Test func `without a list nobody is a proxy`() throws {
        let peer = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let address = ClientAddress(peer: peer, forwardedFor: ["1.1.1.1"], trustedProxies: [])
        #expect(address?.description == "127.0.0.1")
    }

    @Test func `a Unix socket has no address`() throws {
        let peer = try SocketAddress(unixDomainSocketPath: "/tmp/x")
        #expect(ClientAddress(peer: peer, forwardedFor: ["1.1.1.1"], trustedProxies: Self.proxies) == nil)
        #expect(ClientAddress(peer: nil, forwardedFor: [], trustedProxies: []) == nil)
    }

    @Test(arguments: [
        ("203.0.113.9", "203.0.113.9"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "::/64"),
    ])
    func `a subscriber is an IPv4 address or an IPv6 network`(address: String, subscriber: String) throws {
        let peer = try SocketAddress(ipAddress: address, port: 1)
        let client = try #require(ClientAddress(peer: peer, forwardedFor: [], trustedProxies: []))
        #expect(client.subscriber.description == subscriber)
    }
}
