internal import Broker
internal import Cryptography
internal import LMDB

// What happens to a message after it was sent: its row is found and written anew.

extension ConversationsProjection {
    /// Edits or deletes a message.
    ///
    /// What isn't there or is deleted already stays as it is.
    mutating func change(
        _ record: borrowing Record,
        _ stream: Int,
        in transaction: inout WriteTransaction,
        with hasher: borrowing SHA256
    ) throws {
        let header = record.header
        let commitment = record.commitment(with: hasher).bytes
        let (payload, offset, isRedacted) = (record.payload, record.offset, record.isRedacted)
        _ = try rewrite(header.reference, in: stream, &transaction) { row, key, bytes in
            guard !row.isDeleted else { return false }
            var head = row.head
            head.updatedMilliseconds = header.milliseconds
            if header.type == .messageDeleted {
                head.flags.insert(.deleted)
                head.append(to: &bytes, key: key, commitment: row.commitment, content: payload.extracting(0..<0))
                return true
            }
            head.editOffset = offset
            head.flags.remove(.editRedacted)
            if isRedacted { head.flags.insert(.editRedacted) }
            // The message's own redaction covers what it was edited to.
            let content = MessagePayload.content(of: payload)
            let isShown = !head.flags.contains(.redacted)
            head.append(
                to: &bytes,
                key: key,
                commitment: commitment.span,
                content: isShown ? content : content.extracting(0..<0)
            )
            return true
        }
    }

    /// Takes the content of a message or of an edit out of the message's row.
    ///
    /// Goes by the header alone, and leaves what ``send(_:_:in:with:)`` and ``change(_:_:in:with:)`` make of
    /// the records once they are redacted.
    ///
    /// - Returns: Whether it was a message's or an edit's.
    mutating func redact(
        _ header: EventHeader,
        _ stream: Int,
        in transaction: inout WriteTransaction
    ) throws -> Bool {
        let edited = try editedMessage(at: header.reference, in: stream, transaction)
        var erased: (id: Pair, message: Offset)?
        let isMessage = try rewrite(edited ?? header.reference, in: stream, &transaction) { row, key, bytes in
            var head = row.head
            if edited == nil {
                if let hash = head.idHash { erased = (Pair(head.sender, hash), head.offset) }
                head.idHash = nil
                head.flags.insert(.redacted)
            } else {
                // An older edit is shown nowhere.
                guard head.editOffset == header.reference else { return false }
                head.flags.insert(.editRedacted)
            }
            head.append(to: &bytes, key: key, commitment: row.commitment, content: row.contentJSON.extracting(0..<0))
            return true
        }
        if let erased {
            let place = try idPlace(of: erased.id, in: transaction)
            if ids[place] == erased.message { ids[place] = Self.erasedID }
        }
        return isMessage || edited != nil
    }

    /// The message that the event at `offset` has edited; nil if it is no edit of this stream.
    private func editedMessage(
        at offset: Offset,
        in stream: Int,
        _ transaction: borrowing WriteTransaction
    ) throws -> Offset? {
        // Those of the batch are in the order of the log.
        if let first = changes.first, first.offset <= offset {
            var low = 0
            var high = changes.count
            while low < high {
                let middle = (low + high) / 2
                if changes[middle].offset < offset { low = middle + 1 } else { high = middle }
            }
            guard low < changes.count, changes[low].offset == offset else { return nil }
            let change = changes[low]
            return change.stream == stream && change.type == .messageEdited ? change.message : nil
        }
        let key = Key(streams.key(at: stream), offset)
        guard let value = try transaction.value(of: key.span, in: changeTable),
            value.count == 9, value[0] == EventType.messageEdited.rawValue
        else { return nil }
        return value.littleEndian(at: 1)
    }

    /// Replaces the row of the message at `offset` by the one that `write` appends.
    ///
    /// - Parameter write: Gets the old row, its key, and the bytes to append to; returns false to change nothing.
    /// - Returns: Whether there is such a message.
    private mutating func rewrite(
        _ offset: Offset,
        in stream: Int,
        _ transaction: inout WriteTransaction,
        _ write: (borrowing MessageRow, Span<UInt8>, inout [UInt8]) throws -> Bool
    ) throws -> Bool {
        let id = streams.key(at: stream)
        if let first = messages.firstOffset, offset >= first {
            return try messages.replace(stream, offset: offset) { ordinal, old, bytes in
                try write(MessageRow(old.span), Key(id, ordinal).span, &bytes)
            }
        }
        let ordinal = try OrdinalSearch.firstOrdinal(
            of: id,
            atOrAfter: offset,
            count: streams[stream].messageCount,
            in: transaction,
            messageTable
        )
        let key = Key(id, ordinal)
        guard let old = try Self.row(at: key, in: transaction, messageTable),
            try MessageRow(old.span).offset == offset
        else { return false }
        var new: [UInt8] = []
        if try write(MessageRow(old.span), key.span, &new) {
            try transaction.put(new.span, for: key.span, in: messageTable)
        }
        return true
    }

    private static func row(at key: Key, in transaction: borrowing WriteTransaction, _ table: Table) throws -> [UInt8]?
    {
        guard let found = try transaction.value(of: key.span, in: table) else { return nil }
        return [UInt8](copying: found)
    }
}
