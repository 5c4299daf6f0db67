/// The path and the query of a request, percent-decoded.
///
/// As Go's net/url does it, on which the seeds' clients rely: `+` is a space in the query but not in the path. A bad
/// percent-escape, and bytes that are no UTF-8, are refused.
struct RequestTarget: Equatable, Sendable {
    /// What stands between the slashes of the path, each part decoded for itself.
    ///
    /// A `%2F` splits nothing. Empty parts are there: `/ws` is `["ws"]`, `/` and `/ws/` end with `""`.
    let segments: [String]
    private let items: [Item]

    private struct Item: Equatable {
        let name: String
        let value: String
    }

    /// Why a target can't be taken.
    enum Invalid: Error, Equatable, CustomStringConvertible {
        case notAPath, badEscape

        var description: String {
            switch self {
            case .notAPath: "the request target must be a path that begins with '/'"
            case .badEscape: "every '%' in the URL must be followed by two hexadecimal digits, and the result be UTF-8"
            }
        }
    }

    /// Takes apart the target of a request line, in origin form (`/ws?a=b`) or absolute form.
    init(_ target: String) throws(Invalid) {
        var rest = target.utf8[...]
        if rest.first != UInt8(ascii: "/") { rest = try Self.withoutAuthority(target.utf8) }
        let mark = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        var segments: [String] = []
        for segment in rest[..<mark].dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            segments.append(try Self.decode(segment, plusIsSpace: false))
        }
        var items: [Item] = []
        for item in rest[mark...].dropFirst().split(separator: UInt8(ascii: "&")) {
            let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex
            let name = try Self.decode(item[..<equals], plusIsSpace: true)
            items.append(Item(name: name, value: try Self.decode(item[equals...].dropFirst(), plusIsSpace: true)))
        }
        self.segments = segments
        self.items = items
    }

    /// The value of the first query item of that name, compared byte by byte; nil if there is none.
    func query(_ name: String) -> String? {
        items.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// Cuts the `http://host` off an absolute target.
    private static func withoutAuthority(_ target: String.UTF8View) throws(Invalid) -> Substring.UTF8View {
        for scheme in ["http://", "ws://"] where target.count > scheme.utf8.count {
            let end = target.index(target.startIndex, offsetBy: scheme.utf8.count)
            let isScheme = target[..<end].elementsEqual(scheme.utf8) { $0 | 0x20 == $1 | 0x20 }
            if isScheme, let slash = target[end...].firstIndex(of: UInt8(ascii: "/")) { return target[slash...] }
        }
        throw .notAPath
    }

    private static func decode(_ text: Substring.UTF8View, plusIsSpace: Bool) throws(Invalid) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index = text.index(after: index)
            if byte == UInt8(ascii: "%") {
                guard let high = text[index...].first?.hexDigitValue,
                    let low = text[index...].dropFirst().first?.hexDigitValue
                else { throw .badEscape }
                bytes.append(high << 4 | low)
                index = text.index(index, offsetBy: 2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .badEscape }
        return decoded
    }
}

extension UInt8 {
    /// What an ASCII character stands for as a hexadecimal digit; nil if it is none.
    var hexDigitValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}
