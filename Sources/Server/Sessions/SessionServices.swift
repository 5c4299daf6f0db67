import Broker
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
    var logger: Logger
}
