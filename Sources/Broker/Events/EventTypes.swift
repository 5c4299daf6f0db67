/// Some types of events.
package struct EventTypes: Sendable, ExpressibleByArrayLiteral {
    private var bits: UInt64 = 0

    package init(_ types: some Sequence<EventType>) {
        for type in types { bits |= 1 << UInt64(type.rawValue) }
    }

    package init(arrayLiteral types: EventType...) { self.init(types) }

    package static let all = EventTypes(EventType.allCases)

    package func contains(_ type: EventType) -> Bool { bits >> UInt64(type.rawValue) & 1 != 0 }

    package func intersects(_ other: EventTypes) -> Bool { bits & other.bits != 0 }

    package mutating func insert(_ type: EventType) { bits |= 1 << UInt64(type.rawValue) }

    package mutating func formUnion(_ other: EventTypes) { bits |= other.bits }
}
