import Testing

@testable import Server

struct HTTPDateTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        // The example of RFC 9110.
        (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_798_761_599_000, "Thu, 31 Dec 2026 23:59:59 GMT"),
    ])
    func `a time is written as HTTP has it`(milliseconds: UInt64, text: String) {
        #expect(HTTPDate.text(milliseconds: milliseconds) == text)
    }
}
