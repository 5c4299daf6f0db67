import ArgumentParser
import Broker
import HTTPTypes
import Hummingbird

/// The query of a request below `/audit`: nothing but what its path knows, each parameter once.
///
/// Elsewhere what isn't known is ignored; here a filter that is misspelt would show all, and a token in the query would
/// get into the log with the request.
struct AuditParameters {
    private var values: [String: [String]] = [:]

    /// - Parameters:
    ///   - known: The parameters of the path besides `account`, which names the caller in mode `open`.
    ///   - repeatable: Those of them that may come several times.
    /// - Throws: ``HTTPFailure``, 400.
    init(_ request: Request, known: [String] = [], repeatable: Set<String> = []) throws(HTTPFailure) {
        for (name, value) in request.uri.queryParameters {
            let name = String(name)
            guard name == "account" || known.contains(name) else {
                // Not by its name, which may be anything, and long.
                let names = known.isEmpty ? "none" : known.joined(separator: ", ")
                throw HTTPFailure(.badRequest, "unknown parameter in the query; known here: \(names)")
            }
            values[name, default: []].append(String(value))
            guard values[name]?.count == 1 || repeatable.contains(name) else {
                throw HTTPFailure(.badRequest, "the parameter '\(name)' may come only once")
            }
        }
    }

    func text(_ name: String) -> String? { values[name]?.first }

    func texts(_ name: String) -> [String] { values[name] ?? [] }

    func offset(_ name: String) throws(HTTPFailure) -> Offset? {
        guard let text = text(name) else { return nil }
        return try Self.parse(name) { try OffsetOrTime.parseOffset(text) }
    }

    /// Milliseconds since 1970.
    func time(_ name: String) throws(HTTPFailure) -> UInt64? {
        guard let text = text(name) else { return nil }
        return try Self.parse(name) { try OffsetOrTime.parseTime(text) }
    }

    func types(_ name: String) throws(HTTPFailure) -> Set<EventType> {
        try Self.parse(name) { Set(try texts(name).map(AuditQuery.parseType)) }
    }

    /// A number from 1 to `most`, which it is when it isn't there.
    func count(_ name: String, most: Int) throws(HTTPFailure) -> Int {
        guard let offset = try offset(name) else { return most }
        guard let count = Int(exactly: offset), 1...most ~= count else {
            throw HTTPFailure(.badRequest, "the parameter '\(name)' must be 1 to \(most)")
        }
        return count
    }

    private static func parse<Value>(_ name: String, _ body: () throws -> Value) throws(HTTPFailure) -> Value {
        do {
            return try body()
        } catch let error as ValidationError {
            throw HTTPFailure(.badRequest, "the parameter '\(name)': \(error.message)")
        } catch {
            throw HTTPFailure(translating: error)
        }
    }
}
