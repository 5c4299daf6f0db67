import Broker
import HTTPTypes
import Hummingbird
import Testing

@testable import Server

struct AuditParametersTests {
    private func parameters(_ query: String) throws -> AuditParameters {
        let head = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/audit/events?\(query)")
        let request = Request(head: head, body: .init(buffer: .init()))
        return try AuditParameters(request, known: ["after", "limit", "type", "since"], repeatable: ["type"])
    }

    @Test func `each is read as what it is`() throws {
        let found = try parameters("after=12&limit=100&type=MessageSent&type=GuestSeen&since=2026-01-01&account=%C3%A9")
        #expect(try found.offset("after") == 12)
        #expect(try found.count("limit", most: 100) == 100)
        #expect(try found.types("type") == [.messageSent, .guestSeen])
        #expect(try found.time("since") == SampleFolder.start)
        #expect(found.text("account") == "é")
        let none = try parameters("")
        #expect(try none.offset("after") == nil)
        #expect(try none.count("limit", most: 100) == 100)
        #expect(try none.types("type").isEmpty)
    }

    @Test(arguments: ["token=secret", "usr=ann", "After=1", "after", "after=1&after=2", "account=a&account=b"])
    func `what the path doesn't know, or knows only once, is refused without its value`(query: String) throws {
        guard query != "after" else {
            #expect(throws: HTTPFailure.self) { try parameters(query).offset("after") }
            return
        }
        let failure = #expect(throws: HTTPFailure.self) { try parameters(query) }
        #expect(failure?.status == .badRequest)
        #expect(failure?.text.contains("secret") == false)
    }

    @Test(arguments: ["0", "101", "-1", "x", "9007199254740992", "1.0"]) func `a count past its limit is refused`(
        text: String
    ) throws {
        let failure = #expect(throws: HTTPFailure.self) { try parameters("limit=\(text)").count("limit", most: 100) }
        #expect(failure?.status == .badRequest)
        #expect(failure?.text.contains("'limit'") == true)
    }
}
