import ArgumentParser
import Broker

/// A place in the log, as people name it: an offset, or a time.
enum OffsetOrTime: Equatable, Sendable {
    case offset(Offset)
    /// Milliseconds since 1970.
    case time(UInt64)

    /// What an argument is when it must be a place.
    static let syntax =
        "a decimal offset, an RFC 3339 time (2026-11-21T03:46:00Z) or a date (2026-11-21, its midnight in UTC)"

    /// - Throws: `ValidationError` if `text` is neither.
    static func parse(_ text: String) throws -> OffsetOrTime {
        if let offset = try? parseOffset(text) { return .offset(offset) }
        guard let time = Timestamp.parse(text) else {
            throw ValidationError("\(text.shownAsJSON) is no place in the log: give \(syntax).")
        }
        return .time(time)
    }

    /// - Throws: `ValidationError`.
    static func parseTime(_ text: String) throws -> UInt64 {
        guard let time = Timestamp.parse(text) else {
            throw ValidationError(
                "\(text.shownAsJSON) is no time: give one as in 2026-11-21T03:46:00Z, or a date (its midnight in UTC)."
            )
        }
        return time
    }

    /// - Throws: `ValidationError`.
    static func parseOffset(_ text: String) throws -> Offset {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let offset = Offset(text), offset < 1 << 53 else {
            throw ValidationError("\(text.shownAsJSON) is no offset: give a number from 0 to 2^53 - 1.")
        }
        return offset
    }

    /// The offset of the last event up to this place, itself included; 0 if there is none.
    ///
    /// - Throws: ``CommandFailure`` with the status `usage` for an offset that the log doesn't have.
    func last(in log: EventLog) throws -> Offset {
        switch self {
        case .offset(let offset):
            guard offset <= log.head else {
                throw CommandFailure(
                    "there is no offset \(offset) in this log: its last is \(log.head)",
                    status: .usage
                )
            }
            return offset
        case .time(let time): return try log.offset(atOrBefore: time)
        }
    }
}
