/// A value that few sockets have at a time: while it is nil it takes eight bytes, whatever it is.
///
/// A server holds ten thousands of sockets that do nothing.
@propertyWrapper
struct Rare<Value> {
    private indirect enum Place {
        case empty
        case value(Value)
    }

    private var place = Place.empty

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    var wrappedValue: Value? {
        get { if case .value(let value) = place { value } else { nil } }
        set { place = newValue.map(Place.value) ?? .empty }
    }
}
