/// What a file that an auditor was given proves.
package struct AuditFinding: Sendable {
    package enum Proven: Sendable {
        /// The log signed the checkpoint.
        case checkpoint
        /// The event is in the log, as it is here.
        case event(DisclosedEvent, EventPayload)
        /// The log still has all the events of the older checkpoint, in their places.
        case continuation(of: LogCheckpoint)
    }

    package let proven: Proven
    /// Of the tree for which it is proven, and who vouches for that.
    package let verified: VerifiedCheckpoint

    package var checkpoint: LogCheckpoint { verified.checkpoint }
}
