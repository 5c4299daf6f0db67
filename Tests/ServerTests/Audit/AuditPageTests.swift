import Broker
import Foundation
import Testing

@testable import Projections
@testable import Server

struct AuditPageTests {
    private func page(
        _ query: AuditQuery,
        end: Offset = SampleFolder.head,
        payloadBytes: Int = 1 << 20,
        scanEvents: Int = 1_000,
        in sample: SampleFolder
    ) async throws -> (AuditPage.Content, String) {
        let folder = ViewFolder(data: sample.folder.path)
        let names = AuditNames(
            users: UsersView(
                try View(UsersProjection.self, readOnlyDirectory: folder.directory(of: UsersProjection.self))
            ),
            rooms: RoomsView(
                try View(RoomsProjection.self, readOnlyDirectory: folder.directory(of: RoomsProjection.self))
            )
        )
        let page = AuditPage(query: query, end: end, payloadBytes: payloadBytes, scanEvents: scanEvents)
        let content = await page.read(from: try sample.log(), names: names)
        return (content, String(decoding: page.json(content), as: UTF8.self))
    }

    @Test func `a page has the very objects that the command line prints`() async throws {
        let sample = try await SampleFolder()
        let (content, json) = try await page(AuditQuery(), in: sample)
        let listing = AuditListing(folder: sample.folder, log: try sample.log(), query: AuditQuery())
        let printed = try printed { try listing.write(.json, to: &$0) }
        #expect(
            content.events.map { String(decoding: $0, as: UTF8.self) }
                == printed.split(separator: "\n").map(String.init)
        )
        #expect(content.events.count == 15)
        #expect(!json.contains(SampleFolder.secret))
        #expect(json.hasPrefix("{\"events\":[{\"offset\":1,"))
        #expect(json.hasSuffix("}],\"more\":false,\"next\":15,\"as_of\":15}"))
        #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any])
    }

    @Test(arguments: [1, 2, 7, 14, 15, 16]) func `pages of any size, one after the other, are the whole`(
        size: Int
    ) async throws {
        let sample = try await SampleFolder()
        var seen: [Offset] = []
        var after: Offset = 0
        while true {
            let (content, _) = try await page(AuditQuery(after: after, limit: size), in: sample)
            #expect(content.events.count <= size)
            seen += (0..<Offset(content.events.count)).map { after + $0 + 1 }
            #expect(content.next == after + Offset(content.events.count))
            after = content.next
            guard content.hasMore else { break }
            #expect(content.events.count == size)
        }
        #expect(seen == Array(1...15))
    }

    @Test func `a page ends with the event whose payload reaches the sum`() async throws {
        let sample = try await SampleFolder()
        let first = try #require(try sample.log().withRecord(at: 1) { $0.payload.count })
        #expect(try await page(AuditQuery(), payloadBytes: first, in: sample).0.events.count == 1)
        #expect(try await page(AuditQuery(), payloadBytes: first + 1, in: sample).0.events.count == 2)
    }

    @Test func `a page looks at so many events, and says where to go on when it has found none`() async throws {
        let sample = try await SampleFolder()
        let query = AuditQuery(types: [.loginFailed])
        let (none, json) = try await page(query, scanEvents: 11, in: sample)
        #expect(none.events.isEmpty)
        #expect(json == "{\"events\":[],\"more\":true,\"next\":11,\"as_of\":15}")
        let (one, _) = try await page(query, scanEvents: 12, in: sample)
        #expect(one.events.count == 1)
        #expect(one.hasMore)
        #expect(one.next == 12)
        let (rest, _) = try await page(AuditQuery(types: [.loginFailed], after: 12), scanEvents: 3, in: sample)
        #expect(rest.events.isEmpty && !rest.hasMore)
        #expect(rest.next == 15)
    }

    @Test func `what is after the end isn't shown, nor what is outside of the times`() async throws {
        let sample = try await SampleFolder()
        let (content, _) = try await page(AuditQuery(), end: 4, in: sample)
        #expect(content.events.count == 4)
        #expect(!content.hasMore)
        #expect(content.next == 4)
        let (beyond, _) = try await page(AuditQuery(after: 9), end: 4, in: sample)
        #expect(beyond.events.isEmpty && !beyond.hasMore)
        #expect(beyond.next == 9)
        let since = SampleFolder.start + 2_000
        let (timed, _) = try await page(AuditQuery(since: since, until: since + 2_000), in: sample)
        #expect(timed.events.count == 2)
        #expect(!timed.hasMore)
    }
}
