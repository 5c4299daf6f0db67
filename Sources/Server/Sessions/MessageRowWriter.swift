import Broker
import Projections

/// Writes rows of an answer to types 2 and 3, one after the other.
///
/// Half of the time of a long answer goes into its rows. So what of a row is the same as in others is ready-made, and a
/// row goes into room that is known to be enough.
struct MessageRowWriter {
    private let receiver: [UInt8]
    private let directory: AccountDirectory
    private let isRoom: Bool
    // What stands between the times and the content, by the sender: the reader, the peer, the others of a room.
    private let mine: [UInt8]
    private let theirs: [UInt8]
    private var others: [AccountID: [UInt8]] = [:]
    private var created = TimestampText()
    private var updated = TimestampText()
    private var isFirst = true

    /// All of a row but names and content, without them, is less.
    private static let fixedBytes = 160

    init(_ request: MessagesAnswer.Request, directory: AccountDirectory) {
        self.directory = directory
        isRoom = request.conversation.isRoom
        receiver = isRoom ? request.peerName : request.myName
        mine = Self.parties(request.myName, request.peerName)
        theirs = isRoom ? [] : Self.parties(request.peerName, request.myName)
    }

    /// No fewer bytes than the row takes.
    mutating func room(for row: borrowing MessageRow, isMine: Bool) -> Int {
        let parties = isMine ? mine.count : isRoom ? others(row.sender).count : theirs.count
        return Self.fixedBytes + parties + row.contentJSON.count
    }

    /// Appends a row and what separates it from the one before.
    ///
    /// Traps if there isn't ``room(for:isMine:)``.
    ///
    /// - Parameters:
    ///   - isMine: Whether the reader has sent it.
    ///   - isRead: What is shown as such.
    @_lifetime(output: copy output)
    mutating func write(
        _ row: borrowing MessageRow,
        isMine: Bool,
        isRead: Bool,
        to output: inout OutputRawSpan
    ) {
        if isFirst { output.write("{\"ID\":") } else { output.write(",{\"ID\":") }
        isFirst = false
        output.writeDecimal(row.offset)
        let sent = row.milliseconds
        created.show(sent)
        output.write(",\"CreatedAt\":\"")
        output.write(created.ascii.span)
        output.write("\",\"UpdatedAt\":\"")
        let changed = row.updatedMilliseconds
        if changed == sent {
            output.write(created.ascii.span)
        } else {
            updated.show(changed)
            output.write(updated.ascii.span)
        }
        if isMine {
            output.write(mine.span)
        } else if isRoom {
            let parties = others(row.sender)
            output.write(parties.span)
        } else {
            output.write(theirs.span)
        }
        output.write(row.contentJSON)
        if isRead { output.write("\",\"is_read\":true") } else { output.write("\",\"is_read\":false") }
        if row.isRedacted { output.write(",\"redacted\":true") }
        output.write("}")
    }

    private mutating func others(_ sender: AccountID) -> [UInt8] {
        if let known = others[sender] { return known }
        let text = Self.parties(directory.escapedName(of: sender), receiver)
        others[sender] = text
        return text
    }

    private static func parties(_ sender: [UInt8], _ receiver: [UInt8]) -> [UInt8] {
        Array("\",\"DeletedAt\":null,\"send_id\":\"".utf8) + sender + Array("\",\"receive_id\":\"".utf8) + receiver
            + Array("\",\"content\":\"".utf8)
    }
}
