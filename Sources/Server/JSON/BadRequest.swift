/// Why a client's frame is no request (code 50020); the connection goes on.
struct BadRequest: Error, Hashable, CustomStringConvertible {
    /// Which field is wrong and what it should be, for the client's developer. It never repeats what the client sent.
    let message: String

    var description: String { message }

    /// The frame is not one JSON object.
    ///
    /// - Parameter position: The index of the byte at which that shows.
    static func notJSON(_ expected: String, at position: Int) -> BadRequest {
        .init(message: "not JSON: expected \(expected) at byte \(position)")
    }

    static func field(_ name: String, mustBe what: String) -> BadRequest {
        .init(message: "field '\(name)' must be \(what)")
    }
}
