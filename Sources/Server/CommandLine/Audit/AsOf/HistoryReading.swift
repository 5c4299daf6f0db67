import Broker

/// A message as a history shows it.
struct HistoryRow: Equatable, Sendable {
    var offset: Offset
    /// Milliseconds since 1970.
    var created: UInt64
    /// When it was sent or edited, whichever came last.
    var updated: UInt64
    var sender: String
    var receiver: String
    /// Nil if it was erased since.
    var content: String?
    var isRead: Bool
    var isEdited: Bool
}

/// The messages of a report with what they say, which is looked up in the log slice by slice, newest first.
///
/// Memory: the texts of a slice.
struct HistoryReading {
    let report: HistoryReport
    private let log: EventLog
    private let bar: ProgressBar
    private var left: ArraySlice<HistoryReckoning.Message>
    private var names: AsOfReading
    /// At most so many texts are held at once; each slice is one snapshot of the log.
    private static let sliceMessages = 256

    init(_ report: HistoryReport, from log: EventLog, _ bar: ProgressBar) {
        self.report = report
        self.log = log
        self.bar = bar
        left = report.messages
        names = report.reading
    }

    /// What an event says.
    private struct Event {
        var milliseconds: UInt64
        var actor: AccountID
        var isRedacted: Bool
        /// Nil if it was erased, or isn't shown.
        var text: String?
    }

    /// The next rows; nil when there are no more.
    ///
    /// - Throws: `EventLog.Damaged` or ``CommandFailure`` for an event that can't be read.
    mutating func next() throws -> [HistoryRow]? {
        guard !left.isEmpty else { return nil }
        let slice = left.suffix(Self.sliceMessages)
        left = left.dropLast(slice.count)
        let events = try events(of: slice)
        bar.update(
            label: "looking up messages",
            done: UInt64(report.messages.count - left.count),
            total: UInt64(report.messages.count)
        )
        return slice.reversed().map { message in
            guard let sent = events[message.offset], let last = events[message.textOffset] else {
                preconditionFailure("the log has handed over all that it was asked for")
            }
            return row(message, sent, last)
        }
    }

    private func events(of slice: ArraySlice<HistoryReckoning.Message>) throws -> [Offset: Event] {
        let texts = slice.map(\.textOffset)
        let edited = slice.lazy.filter { $0.offset != $0.textOffset }.map(\.offset)
        let hasText = Set(texts)
        var events: [Offset: Event] = [:]
        try log.read(at: (texts + edited).sorted()) { record in
            events[record.offset] = Event(
                milliseconds: record.header.milliseconds,
                actor: record.header.actor,
                isRedacted: record.isRedacted,
                text: hasText.contains(record.offset) ? try record.readText() : nil
            )
            return true
        }
        return events
    }

    private mutating func row(_ message: HistoryReckoning.Message, _ sent: Event, _ last: Event) -> HistoryRow {
        let isMine = sent.actor == report.reader.id
        let receiver = isMine || report.isRoom ? report.other : report.reader
        return HistoryRow(
            offset: message.offset,
            created: sent.milliseconds,
            updated: last.milliseconds,
            sender: name(of: sent.actor),
            receiver: report.isRoom ? receiver.id.uuidText : receiver.label,
            // The redaction of a message covers what it was edited to.
            content: sent.isRedacted ? nil : last.text,
            isRead: report.reckoning.isRead(message.offset, from: sent.actor),
            isEdited: message.textOffset != message.offset
        )
    }

    private mutating func name(of account: AccountID) -> String {
        names.account(account).label
    }
}

extension Record {
    /// What was written; nil if it was erased.
    ///
    /// - Throws: ``CommandFailure`` that names the event.
    fileprivate func readText() throws -> String? {
        switch try readPayload() {
        case .messageSent(let content, _), .messageEdited(let content): content
        default: nil
        }
    }
}
