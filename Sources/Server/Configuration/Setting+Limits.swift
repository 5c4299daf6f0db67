// The section `limits` of the table of keys. Where the wire or the log's format sets a bound (names and ids of 64
// bytes, bcrypt's 72, pages of 10,000 rows), the range ends there: such a limit can be lowered, never raised.

extension Setting {
    static let limits: [Setting] = messages + connections + names + people + flow

    private static let messages: [Setting] = [
        .integer(
            "limits.content_bytes",
            \.limits.contentBytes,
            1...16_777_216,
            unit: "bytes",
            "A message's content, after JSON decoding; past it 50023."
        ),
        .integer(
            "limits.frame_bytes",
            \.limits.frameBytes,
            4_102...134_217_728,
            unit: "bytes",
            "A WebSocket frame, and a message put together from fragments; past it the socket is closed with 1009. At "
                + "least 6 × `limits.content_bytes` + 4,096, for JSON may write a byte as six."
        ),
        .integer(
            "limits.http_body_bytes",
            \.limits.httpBodyBytes,
            1_024...67_108_864,
            unit: "bytes",
            "An HTTP request's body; past it 413."
        ),
        .integer(
            "limits.request_head_bytes",
            \.limits.requestHeadBytes,
            1_024...1_048_576,
            unit: "bytes",
            "An HTTP request's first line and headers; past it the request is refused."
        ),
    ]

    private static let connections: [Setting] = [
        .integer(
            "limits.handshake_seconds",
            \.limits.handshakeSeconds,
            1...3_600,
            unit: "seconds",
            "From the connection to the end of its first request's head; then it is cut."
        ),
        .integer(
            "limits.ping_interval_seconds",
            \.limits.pingIntervalSeconds,
            1...3_600,
            unit: "seconds",
            "An idle socket is sent a ping this often."
        ),
        .integer(
            "limits.idle_seconds",
            \.limits.idleSeconds,
            2...86_400,
            unit: "seconds",
            "A socket silent for this long, pongs included, is cut. More than `limits.ping_interval_seconds`."
        ),
        .integer(
            "limits.close_seconds",
            \.limits.closeSeconds,
            1...600,
            unit: "seconds",
            "The wait for the client's close frame; then the connection is cut."
        ),
        .integer(
            "limits.connections_per_address",
            \.limits.connectionsPerAddress,
            0...1_000_000,
            unit: "connections",
            "Connections open at once from one address; 0 is no limit."
        ),
    ]

    private static let names: [Setting] = [
        .integer(
            "limits.account_bytes",
            \.limits.accountBytes,
            1...64,
            unit: "bytes",
            "An account's name, in UTF-8."
        ),
        .integer(
            "limits.room_name_bytes",
            \.limits.roomNameBytes,
            1...64,
            unit: "bytes",
            "A room's name, in UTF-8."
        ),
        .integer(
            "limits.message_id_bytes",
            \.limits.messageIdBytes,
            1...64,
            unit: "bytes",
            "A client's own `id` of a message."
        ),
        .integer(
            "limits.ref_bytes",
            \.limits.refBytes,
            1...64,
            unit: "bytes",
            "A request's `ref`."
        ),
        .integer(
            "limits.password_min_characters",
            \.limits.passwordMinCharacters,
            1...72,
            unit: "characters",
            "The shortest password that a registration takes."
        ),
        .integer(
            "limits.password_bytes",
            \.limits.passwordBytes,
            1...72,
            unit: "bytes",
            "The longest password, in UTF-8; bcrypt reads no more than 72."
        ),
    ]

    private static let people: [Setting] = [
        .integer(
            "limits.room_members",
            \.limits.roomMembers,
            1...10_000_000,
            unit: "members",
            "Members of one room; past it 409."
        ),
        .integer(
            "limits.user_rooms",
            \.limits.userRooms,
            1...1_000_000,
            unit: "rooms",
            "Rooms of one user; past it 409."
        ),
        .integer(
            "limits.failed_logins_per_minute",
            \.limits.failedLoginsPerMinute,
            0...1_000_000,
            unit: "logins a minute",
            "Failed logins to one account from one address; past it 429; 0 is no limit."
        ),
        .integer(
            "limits.failed_logins_per_address_per_minute",
            \.limits.failedLoginsPerAddressPerMinute,
            0...1_000_000,
            unit: "logins a minute",
            "Failed logins from one address, whatever the account; past it 429; 0 is no limit."
        ),
    ]

    private static let flow: [Setting] = [
        .integer(
            "limits.messages_per_second",
            \.limits.messagesPerSecond,
            0...1_000_000,
            unit: "messages a second",
            "Messages of one user, in bursts of up to ten seconds' worth; past it 50004; 0 is no limit."
        ),
        .integer(
            "limits.unanswered",
            \.limits.unanswered,
            0...1_000_000,
            unit: "messages",
            "Messages in a row without an answer from the peer; past it 50004; 0 is no limit."
        ),
        .integer(
            "limits.pending_requests",
            \.limits.pendingRequests,
            1...1_000_000,
            unit: "requests",
            "Requests of one socket that wait for an answer; past it the socket is not read until some are answered."
        ),
        .integer(
            "limits.page_rows",
            \.limits.pageRows,
            1...10_000,
            unit: "rows",
            "The greatest `limit` that a query may ask for. One without a `limit` gets all."
        ),
        .integer(
            "limits.query_wait_milliseconds",
            \.limits.queryWaitMilliseconds,
            1...600_000,
            unit: "milliseconds",
            "How long a query waits for a view to show what its socket was told; then 50030."
        ),
        .integer(
            "limits.send_buffer_bytes",
            \.limits.sendBufferBytes,
            4_096...67_108_864,
            unit: "bytes",
            "What the kernel holds for one slow reader (`SO_SNDBUF`)."
        ),
        .integer(
            "limits.outbound_bytes",
            \.limits.outboundBytes,
            1_024...67_108_864,
            unit: "bytes",
            "What the server holds for one slow reader before it stops pushing and goes on from the log later."
        ),
        .integer(
            "limits.lag_events",
            \.limits.lagEvents,
            0...9_007_199_254_740_991,
            unit: "events",
            "How far a slow reader may fall behind before it is closed with 4002; 0 is no limit."
        ),
        .integer(
            "limits.receipt_members",
            \.limits.receiptMembers,
            0...10_000,
            unit: "accounts",
            "Rooms of up to this many members are told who has read what (50005) and who types (50006); 0 switches "
                + "that off for all rooms."
        ),
        .integer(
            "limits.watches",
            \.limits.watches,
            1...100_000,
            unit: "conversations",
            "How many conversations and rooms one socket may watch the presence of (type 8); past it 50004."
        ),
    ]
}
