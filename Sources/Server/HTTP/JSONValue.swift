import HTTPTypes
import Hummingbird
import NIOCore

/// A JSON value whose fields keep their order, as the older servers' replies had it; Foundation's encoder only knows
/// the alphabetic one.
enum JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    case string(String)
    case integer(Int)
    case bool(Bool)
    case array([JSONValue])
    case object(KeyValuePairs<String, JSONValue>)

    init(stringLiteral value: String) { self = .string(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int) { self = .integer(value) }

    /// Appends the text of the value.
    func write(to json: inout ByteBuffer) {
        switch self {
        case .string(let text): json.writeJSONString(text)
        case .integer(let value): json.writeDecimal(value)
        case .bool(let value): json.writeStaticString(value ? "true" : "false")
        case .array(let values):
            json.writeStaticString("[")
            for (index, value) in values.enumerated() {
                if index > 0 { json.writeStaticString(",") }
                value.write(to: &json)
            }
            json.writeStaticString("]")
        case .object(let fields):
            json.writeStaticString("{")
            for (index, field) in fields.enumerated() {
                if index > 0 { json.writeStaticString(",") }
                json.writeJSONString(field.key)
                json.writeStaticString(":")
                field.value.write(to: &json)
            }
            json.writeStaticString("}")
        }
    }

    /// A reply with this body.
    func response(_ status: HTTPResponse.Status = .ok) -> Response {
        var body = ByteBuffer()
        write(to: &body)
        return Response(
            status: status,
            headers: [.contentType: HTTPFailure.contentType],
            body: ResponseBody(byteBuffer: body)
        )
    }
}
