import Broker
import Logging

/// Everything that a person can set: what `config.json`, the environment and the command line say together.
///
/// `Settings()` holds the defaults. What a field means, its unit and its range stand in the one table of keys,
/// ``Setting/all``, under the field's name in snake case (`limits.contentBytes` is `limits.content_bytes`); the
/// same table makes the page `docs/configuration.md`.
///
/// ```swift
/// let (settings, warnings) = try await Settings.load(
///     file: nil, environment: ProcessInfo.processInfo.environment, overrides: .init(port: 9000))
/// ```
struct Settings: Sendable, Equatable {
    var server = Server()
    var auth = Auth()
    var limits = Limits()
    var log = Log()
    var views = Views()
    var audit = Audit()
    var logging = Logging()

    struct Server: Sendable, Equatable {
        var address = "127.0.0.1"
        var port = 8080
        /// `nil`: nobody said, so that ``Auth/mode`` decides.
        var allowedOrigins: [String]?
        var trustedProxies: [AddressBlock] = []
        var eventLoops = 0
        var drainSeconds = 5
        var presenceSettleMilliseconds = 2_000
        var data = "data"
    }

    struct Auth: Sendable, Equatable {
        var mode = Mode.required
        var insecure = false
        var jwtKey: Secret?
        var bcryptCost = 12
        var bcryptThreads = 1
        var bcryptQueue = 64
        var tokenHours = 20

        enum Mode: String, Sendable, CaseIterable {
            case required, open
        }
    }

    struct Limits: Sendable, Equatable {
        var contentBytes = 65_536
        var frameBytes = 458_752
        var httpBodyBytes = 1_048_576
        var requestHeadBytes = 16_384
        var handshakeSeconds = 10
        var pingIntervalSeconds = 30
        var idleSeconds = 60
        var closeSeconds = 10
        var accountBytes = 64
        var roomNameBytes = 64
        var messageIdBytes = 64
        var refBytes = 64
        var passwordMinCharacters = 1
        var passwordBytes = 72
        var roomMembers = 100_000
        var userRooms = 10_000
        var failedLoginsPerMinute = 10
        var failedLoginsPerAddressPerMinute = 100
        var connectionsPerAddress = 0
        var messagesPerSecond = 0
        var unanswered = 0
        var pendingRequests = 1_024
        var pageRows = 10_000
        var queryWaitMilliseconds = 5_000
        var sendBufferBytes = 131_072
        var outboundBytes = 65_536
        var lagEvents = 0
        var receiptMembers = 100
        var watches = 1_000
    }

    struct Log: Sendable, Equatable {
        var mapBytes = 1 << 40
        var batchEvents = 4_096
        var batchBytes = 8_388_608
        var queueEvents = 65_536
    }

    struct Views: Sendable, Equatable {
        var mapBytes = 1 << 40
        var batchEvents = 8_192
        var lingerMilliseconds = 50
    }

    struct Audit: Sendable, Equatable {
        var auditors: [AccountName] = []
        var pageEvents = 1_000
        var pageBytes = 4_194_304
        var scanEvents = 100_000
        var attestEveryEvents = 1_000_000
    }

    struct Logging: Sendable, Equatable {
        var level = Logger.Level.info
    }

    /// What the command line says; `nil` (`false` for a flag) where it says nothing.
    struct Overrides: Sendable, Equatable {
        var data: String?
        var address: String?
        var port: Int?
        var mode: Auth.Mode?
        var insecure = false
    }
}
