import Broker
import Projections

extension SessionServices {
    /// A redaction as it concerns those who follow the conversation: by the author of the message, to whom that was
    /// sent, with the message as its reference.
    ///
    /// The event itself names the operator, and maybe an edit.
    ///
    /// - Returns: Nil if nothing changes that is shown: the redaction of something else, of an edit after which there
    ///   were others, or of what a redacted message was edited to.
    func shownRedaction(_ header: EventHeader) -> EventHeader? {
        guard let redacted = try? broker.log.withRecord(at: header.reference, { $0.header }) else { return nil }
        var shown = header
        shown.actor = redacted.actor
        switch redacted.type {
        case .messageSent: return shown
        case .messageEdited:
            shown.reference = redacted.reference
            let isWhole = (try? broker.log.withRecord(at: redacted.reference) { !$0.isRedacted }) ?? false
            let newest = (try? views.conversations.newestEdit(of: redacted.reference, in: header.stream).value) ?? 0
            return isWhole && newest <= header.reference ? shown : nil
        default: return nil
        }
    }
}
