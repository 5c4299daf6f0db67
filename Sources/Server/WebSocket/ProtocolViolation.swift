/// Why a connection has to be closed: the client broke RFC 6455 or one of our limits.
struct ProtocolViolation: Error, Hashable, CustomStringConvertible {
    /// The status of our close frame (RFC 6455, section 7.4.1).
    let closeCode: UInt16
    /// What the client did wrong and what it should do, in ASCII, for its developer; it fits a close frame.
    let reason: String

    var description: String { "\(reason) (close \(closeCode))" }

    /// 1002.
    static func protocolError(_ reason: String) -> ProtocolViolation { .init(closeCode: 1002, reason: reason) }
    /// 1007.
    static func invalidText(_ reason: String) -> ProtocolViolation { .init(closeCode: 1007, reason: reason) }
    /// 1009.
    static func tooLong(_ reason: String) -> ProtocolViolation { .init(closeCode: 1009, reason: reason) }
}
