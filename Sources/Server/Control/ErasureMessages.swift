import Broker

/// What is to be erased, and why.
struct ErasureRequest: Equatable, Sendable {
    enum Target: Equatable, Sendable {
        /// The payload of an event; of a message also what it was edited to.
        case event(Offset)
        /// All that an account has left, and the account.
        case account(String)
    }

    var target: Target
    /// It stays in the log.
    var reason: String
}

/// What an erasure has done.
struct ErasureReport: Codable, Equatable, Sendable {
    /// How many events have lost their payload now; 0 if all had before.
    var erased: Int
    /// The last event that says so.
    var offset: Offset?
    /// The account's id, 32 hexadecimal digits; nil if it wasn't found by its name any more, or an event was asked for.
    var accountID: String?
    /// Whether an erasure before was interrupted, and is done now.
    var resumed: Bool
    /// Whether the files were written anew.
    ///
    /// They need not be if nothing was erased now, nor is left from before.
    var rewritten: Bool
    /// The size of the log's file after that.
    var logBytes: UInt64
    /// What may still hold what was erased, in the data folder.
    var left: [String] = []

    private enum CodingKeys: String, CodingKey {
        case erased, offset, resumed, rewritten, left
        case accountID = "account_id"
        case logBytes = "log_bytes"
    }
}

extension ErasureRequest: Codable {
    private enum CodingKeys: String, CodingKey {
        case offset, account, reason
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        reason = try container.decode(String.self, forKey: .reason)
        if let offset = try container.decodeIfPresent(Offset.self, forKey: .offset) {
            target = .event(offset)
        } else {
            target = .account(try container.decode(String.self, forKey: .account))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(reason, forKey: .reason)
        switch target {
        case .event(let offset): try container.encode(offset, forKey: .offset)
        case .account(let name): try container.encode(name, forKey: .account)
        }
    }
}
