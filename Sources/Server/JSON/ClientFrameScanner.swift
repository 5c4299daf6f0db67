/// Reads a client's frame in one pass, without Foundation and without recursion.
///
/// Foundation's decoder takes ten times as long and can't say what the protocol needs: it knows neither the order of
/// equal keys, nor how a number was written, and refuses halves of surrogate pairs, which Go takes. The tests hold this
/// scanner against it where the two should agree.
struct ClientFrameScanner: ~Escapable {
    /// A field that we know; its raw value is its name in small letters, the first one in the lowest byte.
    enum Field: UInt64, CaseIterable {
        case type = 0x6570_7974
        case content = 0x74_6e65_746e_6f63
        case to = 0x6f74
        case room = 0x6d6f_6f72
        case id = 0x6469
        case ref = 0x66_6572
        case before = 0x6572_6f66_6562
        case after = 0x72_6574_6661
        case limit = 0x74_696d_696c
        case upto = 0x6f74_7075
        case target = 0x7465_6772_6174
        case log = 0x67_6f6c
        case watch = 0x68_6374_6177
        case mark = 0x6b72_616d
        case msg = 0x67_736d
        case roomId = 0x6469_6d6f_6f72

        /// The field that a key names, in whatever case.
        @inline(__always)
        init?(key: borrowing Span<UInt8>) {
            guard key.count <= 8 else { return nil }
            var name: UInt64 = 0
            for index in key.indices {
                // 0x20 is what tells small letters from capital ones. It makes a letter of nothing that is none.
                name |= UInt64(key[index] | 0x20) &<< UInt64(truncatingIfNeeded: index &* 8)
            }
            self.init(rawValue: name)
        }
    }

    private var cursor: JSONCursor
    private let limits: ClientFrame.Limits
    private var frame = ClientFrame()

    /// Prepares to read `utf8`, which must be well-formed UTF-8.
    @_lifetime(copy utf8)
    init(_ utf8: Span<UInt8>, limits: ClientFrame.Limits) {
        cursor = JSONCursor(utf8)
        self.limits = limits
    }

    /// Reads the frame; once.
    ///
    /// - Throws: What is wrong with it as JSON; else what is wrong with the first field that is, with the type and the
    ///   reference wherever in the frame they stand.
    mutating func scan() throws(BadRequest) -> ClientFrame {
        var problem: BadRequest?
        guard cursor.take(UInt8(ascii: "{")) else { throw BadRequest(message: "a request must be a JSON object") }
        if !cursor.take(UInt8(ascii: "}")) {
            repeat {
                let field = try key()
                try cursor.expect(UInt8(ascii: ":"))
                do {
                    try value(of: field)
                } catch {
                    // The value has been passed over: what is left may still tell which request it was.
                    guard error.isAboutField else { throw error }
                    if problem == nil { problem = error }
                }
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { throw .notJSON("',' or '}'", at: cursor.position) }
        }
        guard cursor.next() == nil else { throw .notJSON("nothing more", at: cursor.position) }
        if var problem {
            problem.type = frame.type
            problem.ref = frame.ref
            throw problem
        }
        return exchange(&frame, with: ClientFrame())
    }

    @inline(__always)
    private mutating func key() throws(BadRequest) -> Field? {
        let token = try cursor.string()
        guard token.hasEscapes else { return Field(key: cursor.bytes.extracting(token.range)) }
        // No field's name is longer, and a key may be as long as the frame.
        guard token.decodedBytes <= 8 else { return nil }
        return Field(key: cursor.decode(token).span)
    }

    @inline(__always)
    private mutating func value(of field: Field?) throws(BadRequest) {
        guard let field else { return try cursor.skipValue(depth: 1) }
        if cursor.next() == UInt8(ascii: "n") {
            try cursor.literal("null")
            // In Go a null leaves alone what an earlier key of the same name has set.
            if field == .content, frame.content == .missing { frame.content = .null }
            if field == .msg, frame.msg == .missing { frame.msg = .null }
            return
        }
        switch field {
        case .type: frame.type = try integer("type", from: 0)
        case .content: frame.content = try content()
        case .to: frame.to = try name("to")
        case .room: frame.room = try name("room")
        case .id: frame.id = try text("id", bytes: 1...limits.idBytes)
        case .ref: frame.ref = try reference()
        case .before: frame.before = try integer("before", from: 1)
        case .after: frame.after = try integer("after", from: 0)
        case .limit: frame.limit = try integer("limit", from: 1, through: limits.rows)
        case .upto: frame.upto = try integer("upto", from: 1)
        case .target: frame.target = try integer("target", from: 1)
        case .log: frame.log = try name("log")
        case .watch: frame.watch = try bool("watch")
        case .mark: frame.mark = try bool("mark")
        case .msg: frame.msg = try content()
        case .roomId: frame.roomId = try name("RoomId")
        }
    }

    // MARK: Kinds of values

    @inline(__always)
    private mutating func content() throws(BadRequest) -> ClientFrame.Content {
        switch cursor.next() {
        case UInt8(ascii: "\""): return .text(cursor.decode(try cursor.string()))
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool(try bool("content"))
        default:
            try cursor.skipValue(depth: 1)
            return .other
        }
    }

    private mutating func name(_ field: String) throws(BadRequest) -> [UInt8] {
        try text(field, bytes: 0...limits.nameBytes)
    }

    private mutating func text(_ field: String, bytes: ClosedRange<Int>) throws(BadRequest) -> [UInt8] {
        if cursor.next() == UInt8(ascii: "\"") {
            let token = try cursor.string()
            if bytes.contains(token.decodedBytes) { return cursor.decode(token) }
        } else {
            try cursor.skipValue(depth: 1)
        }
        let range = bytes.lowerBound == 0 ? "\(bytes.upperBound) bytes at most" : "1 to \(bytes.upperBound) bytes"
        throw .field(field, mustBe: "a string of \(range)")
    }

    private mutating func integer(
        _ field: String,
        from least: Int,
        through most: Int = JSONCursor.maximumInteger
    ) throws(BadRequest) -> Int {
        switch cursor.next() {
        case .some(let byte) where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            if let integer = try cursor.number().integer, integer >= least, integer <= most { return integer }
        default: try cursor.skipValue(depth: 1)
        }
        let end = most == JSONCursor.maximumInteger ? "2^53 - 1" : "\(most)"
        throw .field(field, mustBe: "an integer from \(least) to \(end), without point or exponent")
    }

    private mutating func bool(_ field: String) throws(BadRequest) -> Bool {
        switch cursor.next() {
        case UInt8(ascii: "t"):
            try cursor.literal("true")
            return true
        case UInt8(ascii: "f"):
            try cursor.literal("false")
            return false
        default:
            try cursor.skipValue(depth: 1)
            throw .field(field, mustBe: "true or false")
        }
    }

    private mutating func reference() throws(BadRequest) -> [UInt8] {
        switch cursor.next() {
        case UInt8(ascii: "\""):
            let token = try cursor.string()
            if token.decodedBytes <= limits.refBytes {
                return [UInt8](
                    copying: cursor.bytes.extracting(token.range.lowerBound - 1..<token.range.upperBound + 1)
                )
            }
        case .some(let byte) where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            let token = try cursor.number()
            if token.range.count <= limits.refBytes { return [UInt8](copying: cursor.bytes.extracting(token.range)) }
        default: try cursor.skipValue(depth: 1)
        }
        throw .field("ref", mustBe: "a string or a number of \(limits.refBytes) bytes at most")
    }
}
