/// Which web pages may call the server, told by the Origin that their browser sends (RFC 6454).
///
/// HTTP replies and WebSocket upgrades go by the same policy. A request without an Origin comes from no browser's page
/// and is always let through.
struct OriginPolicy: Sendable, Equatable {
    private enum Rule: Sendable, Equatable {
        case any
        case loopback
        case listed(Set<String>)
    }

    private let rule: Rule
    /// Whether a plain HTTP request from another origin is refused as well.
    ///
    /// Where a token is needed the browser's rules do: the page can't read the reply and has no token to send. Without
    /// tokens a page that can't read could still write.
    let refusesOthers: Bool

    /// - Parameters:
    ///   - allowedOrigins: `*`, or origins as `scheme://host[:port]`; nil is the default, everybody where a token is
    ///     needed and else the pages of this machine.
    ///   - needsToken: Whether requests need a token (`auth.mode` is `required`).
    init(allowedOrigins: [String]?, needsToken: Bool) {
        refusesOthers = !needsToken
        switch allowedOrigins {
        case nil: rule = needsToken ? .any : .loopback
        case .some(let origins) where origins.contains("*"): rule = .any
        case .some(let origins): rule = .listed(Set(origins.map(Self.normalized)))
        }
    }

    /// Whether a request with this Origin header, or with none, may be served.
    func allows(_ origin: String?) -> Bool {
        guard let origin else { return true }
        switch rule {
        case .any: return true
        case .loopback: return Self.isLoopback(origin)
        case .listed(let origins): return origins.contains(Self.normalized(origin))
        }
    }

    /// The value of Access-Control-Allow-Origin in the reply; nil leaves it out.
    func allowOrigin(for origin: String?) -> String? {
        if rule == .any { return "*" }
        return origin.flatMap { allows($0) ? $0 : nil }
    }

    /// The headers that every reply carries, errors too.
    func headers(for origin: String?) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let allowed = allowOrigin(for: origin) { headers.append(("Access-Control-Allow-Origin", allowed)) }
        // Else a cache could hand one origin's reply to another.
        if rule != .any { headers.append(("Vary", "Origin")) }
        return headers
    }

    private static func normalized(_ origin: String) -> String {
        let origin = origin.lowercased()
        return origin.hasSuffix("/") ? String(origin.dropLast()) : origin
    }

    /// Whether the page was served by this machine: `localhost`, a name under it (RFC 6761 §6.3), 127.0.0.0/8, `::1`.
    private static func isLoopback(_ origin: String) -> Bool {
        let origin = origin.lowercased()
        guard let scheme = ["http://", "https://"].first(where: origin.hasPrefix) else { return false }
        let authority = origin.dropFirst(scheme.count)
        let host: Substring
        let rest: Substring
        if authority.first == "[", let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            rest = authority[authority.index(after: end)...]
        } else {
            host = authority.prefix { $0 != ":" }
            rest = authority[host.endIndex...]
        }
        guard rest.isEmpty || rest.first == ":" && rest.dropFirst().allSatisfy({ "0"..."9" ~= $0 }) else {
            return false
        }
        if host == "localhost" || host.hasSuffix(".localhost") { return host.allSatisfy { $0 != "/" && $0 != "@" } }
        guard !host.contains("/") else { return false }
        return AddressBlock(String(host))?.isLoopback ?? false
    }
}
