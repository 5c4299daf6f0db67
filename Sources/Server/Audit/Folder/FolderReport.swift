import Broker

/// What a verification of a data folder came to.
struct FolderReport: Sendable {
    enum Outcome: String, Sendable {
        case verified, refuted
        /// A newer version has written what this one can't read.
        case unknown

        var status: CommandFailure.Status {
            switch self {
            case .verified: .success
            case .refuted: .failure
            case .unknown: .usage
            }
        }
    }

    /// What was found of a checkpoint from before.
    struct Checkpoint: Equatable, Sendable {
        var file: String
        /// How many events it is of; nil if it isn't one of this log's.
        var size: UInt64?
        /// Nil if the log continues it.
        var problem: String?
    }

    /// Nil if the file is so damaged that nothing could be read from it.
    var log: LogIdentity?
    var verification: LogVerification?
    /// Of the log's file, if nothing else was looked at because of them.
    var pageFaults: [LogFault] = []
    /// How long the log took.
    var seconds: Double = 0
    var keyProblem: String?
    var checkpoints: [Checkpoint] = []
    var views: [FolderViews.Finding] = []
    /// Why the views weren't compared; nil if they were.
    var viewsSkipped: String?
    /// The head of the tree, once everything is verified.
    var head: TreeHead?
    /// Signed, if the folder's key may be read: no head is signed that wasn't verified.
    var checkpoint: SignedNote?

    init(pageFaults: [LogFault]) { self.pageFaults = pageFaults }

    init(log: LogIdentity, _ verification: LogVerification) {
        self.log = log
        self.verification = verification
    }

    var faults: [LogFault] { pageFaults + (verification?.faults ?? []) }
    var moreFaults: UInt64 { verification?.moreFaults ?? 0 }

    var outcome: Outcome {
        if !pageFaults.isEmpty || keyProblem != nil { return .refuted }
        if checkpoints.contains(where: { $0.problem != nil }) { return .refuted }
        if views.contains(where: { !$0.differences.isEmpty }) { return .refuted }
        guard let verification, !verification.isIntact else { return .verified }
        return verification.isOfNewerVersion ? .unknown : .refuted
    }

    var eventCount: UInt64 { verification.map { UInt64($0.offsets.count) } ?? 0 }
    var eventsPerSecond: Double { seconds > 0 ? Double(eventCount) / seconds : 0 }
}
