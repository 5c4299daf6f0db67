import Broker
import HTTPTypes
import Logging
import Projections

/// What all sockets share.
struct SessionServices: Sendable {
    var broker: Broker
    var views: Views
    var directory: AccountDirectory
    var presence: Presence
    var rates: MessageRates
    var settings: Settings
    var frameLimits: ClientFrame.Limits
    var logger: Logger
}

extension SessionServices {
    /// Returns once `view` has projected all that is in the log now.
    ///
    /// - Throws: ``HTTPFailure``, 503, if it doesn't in time.
    func wait(for view: View) async throws {
        let deadline = ContinuousClock.now + .milliseconds(settings.limits.queryWaitMilliseconds)
        do {
            try await view.waitUntilProjected(broker.log.head, deadline: deadline)
        } catch {
            throw HTTPFailure(.serviceUnavailable, "the view of this answer is behind or away; try again")
        }
    }
}
