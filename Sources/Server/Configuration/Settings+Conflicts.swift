// The checks of one value against another, after all sources are joined.

extension Settings {
    /// What can't be together although each value is right by itself; each text names both keys and the way out.
    var conflicts: [SettingsError.Problem] {
        var messages: [String] = []

        let leastFrameBytes = Self.leastFrameBytes(contentBytes: limits.contentBytes)
        if limits.frameBytes < leastFrameBytes {
            messages.append(
                "\"limits.frame_bytes\" is \(limits.frameBytes.grouped) bytes, too few for \"limits.content_bytes\" of "
                    + "\(limits.contentBytes.grouped): JSON may need 6 for each, and 4,096 for the rest of the frame. "
                    + "Set \"limits.frame_bytes\" to at least \(leastFrameBytes.grouped), or lower the other."
            )
        }
        if limits.idleSeconds <= limits.pingIntervalSeconds {
            messages.append(
                "\"limits.idle_seconds\" is \(limits.idleSeconds), not more than \"limits.ping_interval_seconds\", "
                    + "\(limits.pingIntervalSeconds): clients would be cut before they were asked. "
                    + "Set \"limits.idle_seconds\" to two ping intervals or more."
            )
        }
        if limits.passwordMinCharacters > limits.passwordBytes {
            messages.append(
                "\"limits.password_min_characters\" is \(limits.passwordMinCharacters), more than "
                    + "\"limits.password_bytes\", \(limits.passwordBytes): no password could be both. Lower the first."
            )
        }
        if log.batchBytes < limits.contentBytes + Self.frameOverheadBytes {
            messages.append(
                "\"log.batch_bytes\" is \(log.batchBytes.grouped), too few for one message of "
                    + "\"limits.content_bytes\", \(limits.contentBytes.grouped), and its 4,096 of overhead. "
                    + "Raise the first or lower the second."
            )
        }
        if auth.mode == .open, !server.listensOnLoopbackOnly, !auth.insecure {
            messages.append(
                "\"auth.mode\" is \"open\" (any name, no password) and \"server.address\" is "
                    + "\(server.address.shownAsJSON), which other machines may reach: anyone there could read and "
                    + "write as anyone. Listen on 127.0.0.1, set \"auth.mode\" to \"required\", or, if that is what "
                    + "you want, say --insecure or set \"auth.insecure\" to true."
            )
        }
        return messages.map { .init(code: .conflict, message: $0) }
    }

    /// The frame that holds any content of so many bytes: JSON may write one as `\u00XX`, and there are other fields.
    static func leastFrameBytes(contentBytes: Int) -> Int {
        6 * contentBytes + frameOverheadBytes
    }

    private static let frameOverheadBytes = 4_096
}

extension Settings.Server {
    /// Whether nobody but this machine reaches the server.
    ///
    /// A host name other than `localhost` may mean any address.
    var listensOnLoopbackOnly: Bool {
        address == "localhost" || AddressBlock(address)?.isLoopback == true
    }
}
