import Broker
import Cryptography

/// What an export is of, and what it must consist of: the text of a note that the log's key signs.
///
/// ```
/// quipu export v1
/// size 100006
/// root cBMC8qkqsrvrs/KYJ3pu7tJlIwjXDcYsZ0yhDPvCZ0s=
/// user 0123456789abcdef0123456789abcdef
/// peer -
/// room -
/// since 2026-11-01T00:00:00.000Z
/// until -
/// entries no
/// names 3 Zm9vYmFyYmF6…
/// events 1200 3q2+7w…
/// ```
///
/// The first line keeps it from being taken for a checkpoint, whose first line is the name of the log.
struct ExportManifest: Equatable, Sendable {
    /// A file of lines.
    struct Lines: Equatable, Sendable {
        var count: UInt64
        /// SHA-256 of the whole file.
        var digest: Digest
    }

    /// Why a text is no manifest.
    struct Malformed: Error, Equatable {
        /// From 1.
        var line: Int
    }

    static let title = "quipu export v1"

    var head: TreeHead
    var selection: ExportSelection
    /// Whether the entries of all events are there, those that weren't selected too.
    var hasEntries: Bool
    var names: Lines
    var events: Lines

    init(head: TreeHead, selection: ExportSelection, hasEntries: Bool, names: Lines, events: Lines) {
        self.head = head
        self.selection = selection
        self.hasEntries = hasEntries
        self.names = names
        self.events = events
    }

    /// Reads the text of a note; nothing but what ``text`` gives is one.
    ///
    /// - Throws: ``Malformed``.
    init(text: [UInt8]) throws(Malformed) {
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false) }
        func value(_ key: String, _ line: Int) throws(Malformed) -> String {
            guard lines.count == 12, lines[line - 1].count == 2, lines[line - 1][0] == key else {
                throw Malformed(line: line)
            }
            return String(lines[line - 1][1])
        }
        func parsed<Value>(_ key: String, _ line: Int, _ parse: (String) -> Value?) throws(Malformed) -> Value? {
            let text = try value(key, line)
            if text == "-" { return nil }
            guard let value = parse(text) else { throw Malformed(line: line) }
            return value
        }
        func file(_ key: String, _ line: Int) throws(Malformed) -> Lines {
            guard lines.count == 12, lines[line - 1].count == 3, lines[line - 1][0] == key,
                let count = UInt64(lines[line - 1][1]),
                let digest = Digest(base64: Array(lines[line - 1][2].utf8))
            else { throw Malformed(line: line) }
            return Lines(count: count, digest: digest)
        }
        guard let size = try parsed("size", 2, { UInt64($0) }) else { throw Malformed(line: 2) }
        guard let root = try parsed("root", 3, { Digest(base64: Array($0.utf8)) }) else { throw Malformed(line: 3) }
        head = TreeHead(size: size, root: root)
        selection = ExportSelection(
            user: try parsed("user", 4) { AccountID($0) },
            peer: try parsed("peer", 5) { AccountID($0) },
            room: try parsed("room", 6) { RoomID($0) },
            since: try parsed("since", 7) { Timestamp.parse($0) },
            until: try parsed("until", 8) { Timestamp.parse($0) }
        )
        hasEntries = try value("entries", 9) == "yes"
        names = try file("names", 10)
        events = try file("events", 11)
        // What was read leniently above comes out otherwise than it stood there.
        let expected = self.text
        guard expected == text else {
            let same = zip(expected, text).prefix { $0 == $1 }
            throw Malformed(line: 1 + same.count { $0.0 == UInt8(ascii: "\n") })
        }
    }

    /// The text to be signed.
    var text: [UInt8] {
        func time(_ milliseconds: UInt64?) -> String {
            milliseconds.map { Timestamp.text(milliseconds: $0) } ?? "-"
        }
        let lines = [
            Self.title, "size \(head.size)", "root \(head.root.base64)",
            "user \(selection.user?.description ?? "-")", "peer \(selection.peer?.description ?? "-")",
            "room \(selection.room?.uuidText ?? "-")", "since \(time(selection.since))",
            "until \(time(selection.until))", "entries \(hasEntries ? "yes" : "no")",
            "names \(names.count) \(names.digest.base64)", "events \(events.count) \(events.digest.base64)", "",
        ]
        return Array(lines.joined(separator: "\n").utf8)
    }
}
