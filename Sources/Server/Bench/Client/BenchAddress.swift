import Foundation

/// Where a server listens.
struct BenchAddress: Hashable, Sendable, CustomStringConvertible {
    var host: String
    var port: Int

    /// On this machine.
    init(port: Int) {
        host = "127.0.0.1"
        self.port = port
    }

    /// Reads `ws://host:port`; nil if it is anything else.
    init?(url: String) {
        guard let parts = URLComponents(string: url), parts.scheme == "ws", let host = parts.host, !host.isEmpty,
            let port = parts.port, 1...65_535 ~= port, parts.path.isEmpty || parts.path == "/", parts.query == nil,
            parts.user == nil
        else { return nil }
        self.host = host.trimmingCharacters(in: ["[", "]"])
        self.port = port
    }

    /// As the header `Host` has it.
    var description: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
