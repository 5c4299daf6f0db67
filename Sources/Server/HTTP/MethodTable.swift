import HTTPTypes
import Hummingbird

/// Which methods each path has, so that a known path with another method is a 405 that names them.
///
/// Hummingbird's own router answers 404 to both.
struct MethodTable: Sendable {
    private let routes: [(segments: [String], method: HTTPRequest.Method)]

    /// - Parameter routes: The routes' paths as they were given to the router, with `{name}` or `:name` for a part that
    ///   may be anything, and `**` at the end for one part or more.
    init(_ routes: some Sequence<(path: String, method: HTTPRequest.Method)>) {
        self.routes = routes.map { (Self.segments($0.path), $0.method) }
    }

    /// The methods of `path`, in alphabetic order; none if there is no such path.
    func methods(of path: String) -> [HTTPRequest.Method] {
        let segments = Self.segments(path)
        let found = routes.filter { Self.fits($0.segments, segments) }.map(\.method)
        return Set(found).sorted { $0.rawValue < $1.rawValue }
    }

    private static func segments(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init)
    }

    private static func fits(_ template: [String], _ segments: [String]) -> Bool {
        if template.last == "**" {
            return segments.count >= template.count
                && fits(template.dropLast(), Array(segments.prefix(template.count - 1)))
        }
        return template.count == segments.count
            && zip(template, segments).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $0.hasPrefix(":") }
    }
}
