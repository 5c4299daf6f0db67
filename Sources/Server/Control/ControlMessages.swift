import Broker

/// What a command asks of the running server: one line of JSON, `{"request":"replay","views":["users"]}`.
enum ControlRequest: Equatable, Sendable {
    case ping
    case status
    case userAdd(NewUser)
    /// Rebuilds views, in order; empty: all of them.
    case replay(views: [String])
    /// Erases payloads, then the bytes in the files.
    case erase(ErasureRequest)

    /// An account to make.
    struct NewUser: Codable, Equatable, Sendable {
        var account: String
        var username: String
        var email: String
        /// By bcrypt; the password itself never leaves the process that asked for it.
        var passwordHash: String
        /// Whether a guest of that name becomes the account, history and all.
        var adopt: Bool

        private enum CodingKeys: String, CodingKey {
            case account, username, email, adopt
            case passwordHash = "password_hash"
        }
    }
}

/// How far the rebuild of a view is, or that of the log's file under the name `log`.
struct ReplayProgress: Codable, Equatable, Sendable {
    var view: String
    /// Events taken in.
    var events: UInt64
    /// Events that there are.
    var of: UInt64
}

/// A view that was rebuilt.
struct ReplayedView: Codable, Equatable, Sendable {
    var view: String
    /// How many the view was built from.
    var events: UInt64
    var seconds: Double

    var eventsPerSecond: Double { seconds > 0 ? Double(events) / seconds : 0 }
}

/// An account that was made.
struct AddedUser: Codable, Equatable, Sendable {
    var account: String
    /// 32 hexadecimal digits.
    var id: String
    /// Of the event that made it.
    var offset: Offset
}

/// What a server says about itself.
struct ControlStatus: Codable, Equatable, Sendable {
    var pid: Int32
    var address: String?
    /// The log's identity, `<id>.<epoch>`.
    var log: String
    var head: Offset
    var views: [View]

    struct View: Codable, Equatable, Sendable {
        var name: String
        var checkpoint: Offset
        /// Why it has stopped; nil as long as it works.
        var failure: String?
    }
}

/// An answer without content.
struct ControlDone: Codable, Equatable, Sendable {}

/// One line of the server's answer: any number with `progress`, then one with either of the others.
struct ControlReply<Result: Codable & Sendable>: Codable, Sendable {
    var progress: ReplayProgress?
    var result: Result?
    var error: Failure?

    struct Failure: Codable, Equatable, Sendable {
        var message: String
        /// The exit code that the command should end with.
        var exit: Int32
    }
}

extension ControlRequest: Codable {
    private enum CodingKeys: String, CodingKey {
        case request, views
    }

    private enum Name: String, Codable {
        case ping, status, replay, erase
        case userAdd = "user-add"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Name.self, forKey: .request) {
        case .ping: self = .ping
        case .status: self = .status
        case .replay: self = .replay(views: try container.decodeIfPresent([String].self, forKey: .views) ?? [])
        case .userAdd: self = .userAdd(try NewUser(from: decoder))
        case .erase: self = .erase(try ErasureRequest(from: decoder))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .ping: try container.encode(Name.ping, forKey: .request)
        case .status: try container.encode(Name.status, forKey: .request)
        case .replay(let views):
            try container.encode(Name.replay, forKey: .request)
            try container.encode(views, forKey: .views)
        case .userAdd(let user):
            try container.encode(Name.userAdd, forKey: .request)
            try user.encode(to: encoder)
        case .erase(let erasure):
            try container.encode(Name.erase, forKey: .request)
            try erasure.encode(to: encoder)
        }
    }
}
