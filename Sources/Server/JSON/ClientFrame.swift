/// What a client's message says: the fields that some request knows, of whatever request it is.
///
/// Here a field has the right kind and size for itself; whether the request may have it, must have it, and what it
/// refers to, is for whoever serves the request. Texts are bytes of UTF-8, because names and ids are equal when their
/// bytes are. Source: section 3 of the protocol.
struct ClientFrame: Equatable, Sendable {
    /// A value whose kind the request decides on.
    enum Content: Equatable, Sendable {
        case missing
        case null
        case text([UInt8])
        case bool(Bool)
        /// A number, an array or an object.
        case other
    }

    /// The most that a field may hold.
    struct Limits: Equatable, Sendable {
        /// Bytes of `id`, without escapes.
        var idBytes = 64
        /// Bytes of `ref`: of a string without escapes, of a number as it is written.
        var refBytes = 64
        /// Bytes of a name of anything; what names are allowed is decided elsewhere, this only bounds the work.
        var nameBytes = 1024
        /// What `limit` may ask for.
        var rows = 10_000
    }

    /// Which request it is; nil on a frame without one, such as a room socket's `{"Msg","RoomId"}`.
    var type: Int?
    var content = Content.missing
    var to: [UInt8]?
    var room: [UInt8]?
    /// The client's own message id, 1 byte or more.
    var id: [UInt8]?
    /// The JSON of the reference, quotes and escapes and all, for the reply to repeat.
    var ref: [UInt8]?
    /// An offset, 1 or more.
    var before: Int?
    /// An offset, 0 or more.
    var after: Int?
    var limit: Int?
    /// An offset, 1 or more.
    var upto: Int?
    /// An offset, 1 or more.
    var target: Int?
    var log: [UInt8]?
    var watch: Bool?
    var mark: Bool?
    /// `Msg` on a room socket.
    var msg = Content.missing
    /// `RoomId` on a room socket.
    var roomId: [UInt8]?

    /// Reads a message, as leniently as the seeds' Go did: keys match in any case, the last of several equal ones
    /// counts, `null` changes nothing, unknown fields may hold anything.
    ///
    /// - Parameters:
    ///   - bytes: The whole payload of the message.
    ///   - isUTF8: Whether `bytes` is known to be UTF-8, as that of a text message is. In a binary one each byte that
    ///     isn't becomes U+FFFD.
    ///   - limits: How much the fields may hold.
    /// - Returns: What the frame says, whether or not it makes a request.
    /// - Throws: What is wrong with the first thing that is.
    static func parse(
        _ bytes: Span<UInt8>,
        isUTF8: Bool = true,
        limits: Limits = Limits()
    ) throws(BadRequest) -> ClientFrame {
        if !isUTF8, let repaired = UTF8Repair.repaired(bytes) {
            var scanner = ClientFrameScanner(repaired.span, limits: limits)
            return try scanner.scan()
        }
        var scanner = ClientFrameScanner(bytes, limits: limits)
        return try scanner.scan()
    }
}
