internal import Broker
internal import LMDB

/// A row of the table `streams`: what the writer asks, how many messages there are, and how far it has come.
///
/// | at | bytes | |
/// | --- | --- | --- |
/// | 0 | 8 | revision |
/// | 8 | 8 | offset of the last message |
/// | 16 | 8 | offset of the last message of anybody but its sender |
/// | 24 | 8 | messages that the last sender has sent in a row |
/// | 32 | 8 | messages |
/// | 40 | 16 | the last sender |
/// | 56 | 8 | offset of the last change: reads, edits, deletions |
struct StreamRow {
    var state = StreamState()
    var messageCount: UInt64 = 0
    var lastChange: Offset = 0

    static let byteCount = 64

    init() {}

    init(_ bytes: Span<UInt8>) throws {
        guard bytes.count == Self.byteCount else { throw LMDBError.malformed("a row of streams") }
        state.revision = bytes.littleEndian(at: 0)
        state.lastMessage = bytes.littleEndian(at: 8)
        state.lastMessageOfAnother = bytes.littleEndian(at: 16)
        state.run = bytes.littleEndian(at: 24)
        messageCount = bytes.littleEndian(at: 32)
        state.lastSender = Identifier(bytes, at: 40)
        lastChange = bytes.littleEndian(at: 56)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: state.revision)
        bytes.append(littleEndian: state.lastMessage)
        bytes.append(littleEndian: state.lastMessageOfAnother)
        bytes.append(littleEndian: state.run)
        bytes.append(littleEndian: messageCount)
        state.lastSender.append(to: &bytes)
        bytes.append(littleEndian: lastChange)
    }
}
