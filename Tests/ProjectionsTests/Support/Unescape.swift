import Foundation
import LMDB
import Testing

/// The text that a run of a JSON string stands for.
func unescape(_ json: Span<UInt8>) throws -> String {
    let quoted = Data([0x22] + [UInt8](copying: json) + [0x22])
    return try #require(try JSONSerialization.jsonObject(with: quoted, options: .fragmentsAllowed) as? String)
}
