import Broker

extension ExportLine {
    /// Why a line is not what an export would have there.
    struct Malformed: Error, Equatable {
        var description: String
    }

    /// The event in a line, by its offset and its record alone; what else the line says is for the caller to compare.
    ///
    /// - Throws: ``Malformed``.
    static func event(in line: ArraySlice<UInt8>) throws(Malformed) -> DisclosedEvent {
        // No quote stands unescaped in a text, and neither quotes nor brackets in base 64: found from the end, these
        // can be nothing else.
        guard let bracket = line.lastIndex(of: UInt8(ascii: "[")),
            let proof = line[...bracket].dropping(suffix: "\",\"proof\":["),
            let quote = proof.lastIndex(of: UInt8(ascii: "\"")),
            proof[...quote].dropping(suffix: ",\"record\":\"") != nil,
            let bytes = Base64.decode(proof[(quote + 1)...])
        else { throw Malformed(description: "has no record") }
        guard let offset = offset(in: line[...quote]) else { throw Malformed(description: "has no offset") }
        do {
            return try DisclosedEvent(bytes: bytes, at: offset)
        } catch {
            throw Malformed(description: "has a record that can't be read: \(error)")
        }
    }

    /// The name in a line that gives one, which the operator may have stated; nil for null.
    ///
    /// - Throws: ``Malformed``.
    static func name(in line: ArraySlice<UInt8>) throws(Malformed) -> String? {
        let malformed = Malformed(description: "gives no name")
        // {"id":"<32 digits>","name":
        guard let value = Optional(line.dropFirst(7 + 32 + 9)), let first = value.first else { throw malformed }
        if first == UInt8(ascii: "n") { return nil }
        var end = value.startIndex + 1
        while end < value.endIndex, value[end] != UInt8(ascii: "\"") {
            end += value[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < value.endIndex, case .text(let name)? = try? JSONReader.read(Array(value[...end])) else {
            throw malformed
        }
        return name
    }

    /// The number after the first `"offset":` that is a key.
    private static func offset(in line: ArraySlice<UInt8>) -> Offset? {
        let key = Array("\"offset\":".utf8)
        // Before it there may be an id and a name, in which quotes are escaped.
        var start = line.startIndex
        while let quote = line[start...].firstIndex(of: UInt8(ascii: "\"")) {
            if line[quote...].starts(with: key) {
                let digits = line[(quote + key.count)...].prefix { 0x30...0x39 ~= $0 }
                guard digits.count <= 16, let offset = Offset(String(decoding: digits, as: UTF8.self)), offset > 0
                else {
                    return nil
                }
                return offset
            }
            start = quote + 1
        }
        return nil
    }
}

extension ArraySlice<UInt8> {
    /// What stands before `suffix`; nil if it doesn't end so.
    fileprivate func dropping(suffix: StaticString) -> ArraySlice<UInt8>? {
        let length = suffix.utf8CodeUnitCount
        guard self.suffix(length).elementsEqual(suffix.description.utf8) else { return nil }
        return dropLast(length)
    }
}
