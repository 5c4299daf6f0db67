/// Why a client's frame is no request (code 50020); the connection goes on.
struct BadRequest: Error, Hashable, CustomStringConvertible {
    /// Which field is wrong and what it should be, for the client's developer; never what the client sent.
    let message: String
    /// Whether the frame as such could be read, and only a field of it not.
    private(set) var isAboutField = false
    /// The request's type and reference, for the reply to repeat, if the frame could be read that far.
    var type: Int?
    var ref: [UInt8]?

    init(message: String) { self.message = message }

    var description: String { message }

    /// The frame is no JSON, which shows at the byte with the index `position`.
    static func notJSON(_ expected: String, at position: Int) -> BadRequest {
        .init(message: "not JSON: expected \(expected) at byte \(position)")
    }

    static func field(_ name: String, mustBe what: String) -> BadRequest {
        var request = BadRequest(message: "field '\(name)' must be \(what)")
        request.isAboutField = true
        return request
    }
}
