/// What the writer hands on after a commit: the events, which are on disk, and the answers to the commands.
package struct CommittedBatch: Sendable {
    /// The events; may be empty, when every command was refused or changed nothing.
    package var events: EventBatch
    /// The answers, by sink, each in the order in which its commands came.
    package var receipts: [[Receipt]]

    package init(events: EventBatch, receipts: [[Receipt]]) {
        self.events = events
        self.receipts = receipts
    }
}

/// Somebody who follows the log.
///
/// Called on the writer's thread after each commit, so it must be quick: wake a thread, hand the batch to an event
/// loop.
package protocol CommitSubscriber: AnyObject, Sendable {
    func committed(_ batch: CommittedBatch)
}
