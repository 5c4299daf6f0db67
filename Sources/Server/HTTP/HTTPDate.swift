import Broker

/// The time as the header Date has it: `Sat, 21 Nov 2026 17:15:09 GMT` (RFC 9110, section 5.6.7).
enum HTTPDate {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Parameter milliseconds: Since 1970 in UTC.
    static func text(milliseconds: UInt64) -> String {
        let text = Timestamp.text(milliseconds: milliseconds).utf8.map { Character(Unicode.Scalar($0)) }
        // The first day of 1970 was a Thursday.
        let weekday = weekdays[Int(milliseconds / 86_400_000 % 7)]
        let month = months[(Int(String(text[5..<7])) ?? 1) - 1]
        return "\(weekday), \(String(text[8..<10])) \(month) \(String(text[0..<4])) \(String(text[11..<19])) GMT"
    }
}
