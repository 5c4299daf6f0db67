internal import SwiftProtobuf

/// Pure functions from one version of an event's payload to the next, applied at decoding.
///
/// What is in the log is never rewritten; for each released version a golden log is replayed in the tests.
enum Upcaster {
    /// Version 1 had one text for address and port; version 2 keeps them apart, so that they can be searched.
    static func userLoggedInFromV1(_ old: Quipu_V1_UserLoggedInPayloadV1) -> Quipu_V1_UserLoggedInPayload {
        .with { new in
            // "[2001:db8::1]:50123", "192.0.2.1:50123", or an address alone. A bare IPv6 address has several colons.
            let colons = old.remote.count { $0 == ":" }
            if old.remote.hasPrefix("["), let end = old.remote.firstIndex(of: "]") {
                new.address = String(old.remote[old.remote.index(after: old.remote.startIndex)..<end])
                new.port = UInt32(old.remote[end...].dropFirst(2)) ?? 0
            } else if colons == 1, let colon = old.remote.firstIndex(of: ":") {
                new.address = String(old.remote[..<colon])
                new.port = UInt32(old.remote[colon...].dropFirst()) ?? 0
            } else {
                new.address = old.remote
            }
        }
    }
}
