// The section `audit` of the table of keys: who may read the log over HTTP, how much of it at once, and how often what
// the views hold is attested in it.

extension Setting {
    static let audit: [Setting] = [
        .other(
            "audit.auditors",
            .accounts(\.audit.auditors),
            "The accounts that may read the whole log under `/audit`. Register an account before you name it here: "
                + "whoever takes the name has the right."
        ),
        .integer(
            "audit.page_events",
            \.audit.pageEvents,
            1...10_000,
            unit: "events",
            "The most events on a page of `/audit/events`, and how many there are without a `limit`."
        ),
        .integer(
            "audit.page_bytes",
            \.audit.pageBytes,
            1...1_073_741_824,
            unit: "bytes",
            "A page of `/audit/events` ends with the event whose payload reaches this sum."
        ),
        .integer(
            "audit.scan_events",
            \.audit.scanEvents,
            1...10_000_000,
            unit: "events",
            "The most events that one request to `/audit/events` looks at; a page that stops there may be empty, and "
                + "says where to go on."
        ),
        .integer(
            "audit.attest_every_events",
            \.audit.attestEveryEvents,
            0...1_000_000_000,
            unit: "events",
            "Whenever the log passes a multiple of this, the digest of each view is appended to it; 0 is never. A "
                + "digest reads all rows of the view, tens of millions a second, in the background; `quipu replay "
                + "--verify` does so once for each."
        ),
    ]
}
