import NIOCore

/// What a connection may take before it is a WebSocket.
struct FrontLimits: Sendable {
    /// URL, header names and header values of one request together; past it 431.
    var headBytes: Int
    /// A request's body; past it 413.
    var bodyBytes: Int
    /// From the connection to the end of its first request's head, or of its WebSocket handshake.
    var handshakeTime: TimeAmount
    /// From a later request's head to its response being with the kernel: bounds dripped bodies and readers that don't.
    var requestTime: TimeAmount
    /// How long a connection may be kept open for another request, that one's head included.
    var idleTime: TimeAmount
    /// How long what still comes in is read and thrown away after a final response.
    ///
    /// Closing at once would make the kernel answer with a reset, which may overtake the response.
    var lingerTime: TimeAmount = .seconds(2)
}
