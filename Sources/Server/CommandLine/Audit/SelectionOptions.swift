import ArgumentParser

/// Which events: what `quipu audit list` and `quipu audit export` share.
struct SelectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What this account did, or what was done to it.", valueName: "account"))
    var user: String?

    @Option(help: ArgumentHelp("With --user: the conversation of the two.", valueName: "account"))
    var peer: String?

    @Option(help: ArgumentHelp("What happened in this room.", valueName: "id or name"))
    var room: String?

    @Option(
        help: ArgumentHelp("Events at this time or later: RFC 3339, or a date.", valueName: "time"),
        transform: OffsetOrTime.parseTime
    )
    var since: UInt64?

    @Option(
        help: ArgumentHelp("Events before this time.", valueName: "time"),
        transform: OffsetOrTime.parseTime
    )
    var until: UInt64?

    func validate() throws {
        if peer != nil, user == nil { throw ValidationError("--peer needs --user: a conversation has two sides.") }
        if peer != nil, room != nil { throw ValidationError("--peer and --room exclude each other.") }
        if let since, let until, since >= until { throw ValidationError("--since must be before --until.") }
    }
}
