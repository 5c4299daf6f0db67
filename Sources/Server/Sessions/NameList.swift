/// Names one after the other in one array: to look at one costs no count of references.
struct NameList {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    /// Numbers that sort as names do: their first twelve bytes, then the index.
    private var places: [UInt128] = []

    init() {}

    /// Room for `count` names of some length.
    init(capacity count: Int) {
        bytes.reserveCapacity(16 * count)
        ends.reserveCapacity(count)
        places.reserveCapacity(count)
    }

    var count: Int { ends.count }

    /// Of all names.
    var byteCount: Int { bytes.count }

    mutating func append(_ name: [UInt8]) {
        let used = min(12, name.count)
        // Zero past the name's end, because no name has a zero byte.
        var prefix: UInt128 = 0
        for place in 0..<used { prefix = prefix << 8 | UInt128(name[place]) }
        places.append(prefix << UInt128(8 * (16 - used)) | UInt128(UInt32(ends.count)))
        bytes.append(contentsOf: name)
        ends.append(bytes.count)
    }

    /// The name that was appended as the `index`-th, from 0.
    subscript(index: Int) -> Span<UInt8> {
        @_lifetime(borrow self) borrowing get { bytes.span.extracting(range(of: index)) }
    }

    /// The indices in the order of the names' bytes.
    var order: some Collection<Int> {
        var places = places
        places.sort()
        // Those that begin alike.
        var start = 0
        while start < places.count {
            let prefix = places[start] >> 32
            var end = start + 1
            while end < places.count, places[end] >> 32 == prefix { end += 1 }
            if end - start > 1 {
                places[start..<end].sort { left, right in
                    let (left, right) = (range(of: Self.index(of: left)), range(of: Self.index(of: right)))
                    return bytes[left].lexicographicallyPrecedes(bytes[right])
                }
            }
            start = end
        }
        return places.lazy.map { Self.index(of: $0) }
    }

    private func range(of index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    private static func index(of place: UInt128) -> Int { Int(UInt32(truncatingIfNeeded: place)) }
}
