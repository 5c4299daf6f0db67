import NIOCore

/// Where a request comes from: the peer of the connection, or who a trusted proxy says stands behind it.
struct ClientAddress: Sendable, Hashable, CustomStringConvertible {
    /// A single address, never a wider block.
    let address: AddressBlock

    /// Finds the client of a request; nil if the peer has no IP address, as on a Unix socket.
    ///
    /// Every proxy appends the address that it was called from to X-Forwarded-For, so the list is read from its end:
    /// the first entry that isn't a trusted proxy itself is the client. What stands left of it anybody may have made
    /// up.
    ///
    /// - Parameters:
    ///   - peer: The other end of the connection.
    ///   - forwardedFor: The values of all X-Forwarded-For headers, in their order.
    ///   - trustedProxies: Whose word counts.
    init?(peer: SocketAddress?, forwardedFor: [String], trustedProxies: [AddressBlock]) {
        guard let text = peer?.ipAddress, var client = Self.parse(text[...]) else { return nil }
        let entries = forwardedFor.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        for entry in entries.reversed() {
            guard trustedProxies.contains(where: { $0.contains(client) }), let next = Self.parse(entry) else { break }
            client = next
        }
        address = client
    }

    /// What one subscriber has to itself, which limits go by: an IPv4 address, or the 64 bits of a network that an
    /// IPv6 host may choose its address in.
    var subscriber: AddressBlock {
        guard address.bytes.count == 16 else { return address }
        return AddressBlock("\(address)/64") ?? address
    }

    var description: String { address.description }

    /// An address as it stands in X-Forwarded-For: alone, or with a port or a zone that don't matter here.
    private static func parse(_ entry: Substring) -> AddressBlock? {
        var text = entry.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.contains("."), text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            text = text[..<colon]
        }
        if let zone = text.firstIndex(of: "%") { text = text[..<zone] }
        guard !text.contains("/") else { return nil }
        return AddressBlock(String(text))
    }
}
