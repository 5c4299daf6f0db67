// The one table of keys, in the order in which the documentation shows them. The defaults are the fields' own, in
// Settings.swift; the checks of one value against another are in Settings+Conflicts.swift.

extension Setting {
    /// Every key that there is.
    static let all: [Setting] = server + auth + limits + log + views + audit + logging

    /// The sections, in the order of ``all``.
    static let sections: [String] = all.reduce(into: []) { sections, setting in
        if sections.last != setting.section { sections.append(setting.section) }
    }

    private static let server: [Setting] = [
        .other(
            "server.address",
            .text(\.server.address),
            "The address to listen on. `0.0.0.0` is every IPv4 address of the machine, `::` every address."
        ),
        .integer(
            "server.port",
            \.server.port,
            0...65_535,
            takesText: true,
            "The port to listen on, HTTP and WebSocket alike; 0 takes any free one, which the banner tells. A string "
                + "of digits will do too."
        ),
        .other(
            "server.allowed_origins",
            .origins(\.server.allowedOrigins),
            default: "by `auth.mode`: `[\"*\"]` if `required`; loopback origins only if `open`",
            "The web origins whose pages may call the server: `\"*\"` for all, else each as `scheme://host[:port]`."
        ),
        .other(
            "server.trusted_proxies",
            .addresses(\.server.trustedProxies),
            "Addresses or blocks of addresses (`10.0.0.0/8`) of proxies whose X-Forwarded-For is believed."
        ),
        .integer(
            "server.event_loops",
            \.server.eventLoops,
            0...1_024,
            unit: "threads",
            "Threads that serve sockets; 0 is one for each core."
        ),
        .integer(
            "server.drain_seconds",
            \.server.drainSeconds,
            0...600,
            unit: "seconds",
            "At shutdown, the time in which sockets are closed, and over which their clients are asked to come back."
        ),
        .integer(
            "server.presence_settle_milliseconds",
            \.server.presenceSettleMilliseconds,
            10...60_000,
            unit: "milliseconds",
            "A change of who is online is pushed when it has lasted this long, so that a reconnect isn't seen."
        ),
        .other(
            "server.data",
            .text(\.server.data),
            "The data folder. A relative path starts from the working directory."
        ),
    ]

    private static let auth: [Setting] = [
        .other(
            "auth.mode",
            .choice(Choice(\.auth.mode)),
            "`required`: a socket or request needs the token of its account. `open`: any name, no token; on a loopback "
                + "address only."
        ),
        .other(
            "auth.insecure",
            .flag(\.auth.insecure),
            "Allows `open` on an address that other machines reach: anyone there may then read and write as anyone."
        ),
        .other(
            "auth.jwt_key",
            .secret(\.auth.jwtKey, minBytes: 32),
            default: "made at random on first start and kept in the data folder",
            "The key that signs tokens. Better in the environment than in a file that others read; never printed."
        ),
        .integer(
            "auth.bcrypt_cost",
            \.auth.bcryptCost,
            4...16,
            "How dear a password's hash is: each step doubles the time. A stored hash keeps the cost it was made with."
        ),
        .integer(
            "auth.bcrypt_threads",
            \.auth.bcryptThreads,
            1...64,
            unit: "threads",
            "Threads that hash passwords."
        ),
        .integer(
            "auth.bcrypt_queue",
            \.auth.bcryptQueue,
            1...65_536,
            unit: "requests",
            "Registrations and logins that may wait for such a thread; one more gets 429."
        ),
        .integer(
            "auth.token_hours",
            \.auth.tokenHours,
            1...87_600,
            unit: "hours",
            "How long a token holds."
        ),
    ]

    private static let log: [Setting] = [
        .integer(
            "log.map_bytes",
            \.log.mapBytes,
            mapRange,
            unit: "bytes",
            "The most that the log may grow to; address space, not memory or disk."
        ),
        .integer(
            "log.batch_events",
            \.log.batchEvents,
            1_024...1_048_576,
            unit: "events",
            "The most events in one commit."
        ),
        .integer(
            "log.batch_bytes",
            \.log.batchBytes,
            65_536...1_073_741_824,
            unit: "bytes",
            "The most payload in one commit."
        ),
        .integer(
            "log.queue_events",
            \.log.queueEvents,
            1_024...16_777_216,
            unit: "commands",
            "The most commands that wait for the log's writer; past it a client gets 50030."
        ),
    ]

    private static let views: [Setting] = [
        .integer(
            "views.map_bytes",
            \.views.mapBytes,
            mapRange,
            unit: "bytes",
            "The most that each view may grow to; address space, not memory or disk."
        ),
        .integer(
            "views.batch_events",
            \.views.batchEvents,
            1...1_048_576,
            unit: "events",
            "The most events that a view takes in one transaction."
        ),
        .integer(
            "views.linger_milliseconds",
            \.views.lingerMilliseconds,
            0...1_000,
            unit: "milliseconds",
            "How long a view waits for more events before it takes in what there is, unless somebody asks it meanwhile."
        ),
    ]

    private static let logging: [Setting] = [
        .other(
            "logging.level",
            .choice(Choice(\.logging.level)),
            "What the server writes to standard error: lines of this level and graver ones."
        )
    ]

    /// A process has 128 TiB of address space (x86-64): the log, the views, and a rebuild beside each view must fit.
    private static let mapRange = 1_048_576...(8 << 40)
}
