import HTTPTypes
import Testing

@testable import Server

struct MethodTableTests {
    private let table = MethodTable([
        ("/rooms/{id}", .get), ("/rooms/{id}", .put), ("/audit/tile/**", .get), ("/audit/events", .get),
    ])

    @Test(
        arguments: [
            ("/rooms/1", [.get, .put]), ("/rooms", []), ("/rooms/1/2", []), ("/audit/events", [.get]),
            ("/audit/tile/0/000", [.get]), ("/audit/tile/0/x001/234.p/7", [.get]), ("/audit/tile/0", [.get]),
            ("/audit/tile", []), ("/audit/other/0/000", []), ("/", []),
        ] as [(String, [HTTPRequest.Method])]
    )
    func `a path has the methods of the routes that it fits`(path: String, methods: [HTTPRequest.Method]) {
        #expect(table.methods(of: path) == methods)
    }
}
