/// Bytes that must never be printed: no description, dump or error text of it shows more than that it is there.
struct Secret: Sendable, Equatable {
    let bytes: [UInt8]
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "(secret)" }
    var debugDescription: String { description }
    /// `dump` and string interpolation of a struct that holds a secret go by its mirror: an empty one.
    var customMirror: Mirror { Mirror(self, children: []) }
}
