internal import Glibc

/// A connection that blocks: each call is one of the kernel's, or several if the kernel takes less at once.
package final class RawConnection: Sendable {
    private let descriptor: Int32

    /// How long it waits for the other end before it gives up: longer than a program takes that is alive.
    private static let patienceSeconds = 30

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var on: Int32 = 1
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
    }

    /// Connects to the first address of `host`.
    ///
    /// - Throws: ``RawSocketError``.
    package convenience init(host: String, port: Int) throws(RawSocketError) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &found) == 0, let address = unsafe found else {
            throw RawSocketError(code: ENXIO, function: "getaddrinfo \(host)")
        }
        defer { unsafe freeaddrinfo(address) }
        let opened = try RawSocketError.check(
            unsafe socket(address.pointee.ai_family, address.pointee.ai_socktype, 0),
            "socket"
        )
        let code = unsafe connect(opened, address.pointee.ai_addr, address.pointee.ai_addrlen)
        let reason = errno
        if code < 0 {
            _ = close(opened)
            throw RawSocketError(code: reason, function: "connect \(host):\(port)")
        }
        self.init(descriptor: opened)
    }

    deinit { _ = close(descriptor) }

    /// Appends what has come, at most `count` bytes, to `bytes`; waits until there is something.
    ///
    /// - Returns: False at the end of the stream.
    package func read(atMost count: Int, to bytes: inout [UInt8]) throws(RawSocketError) -> Bool {
        let before = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        let got = unsafe bytes.withUnsafeMutableBytes { all in
            unsafe recv(descriptor, all.baseAddress?.advanced(by: before), count, 0)
        }
        bytes.removeLast(count - max(0, got))
        try RawSocketError.check(Int32(clamping: got), "recv")
        return got > 0
    }

    /// Writes `bytes`, and waits while the other end reads too slowly.
    package func write(_ bytes: borrowing Span<UInt8>) throws(RawSocketError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { all in
                let rest = unsafe all.baseAddress?.advanced(by: done)
                return unsafe send(descriptor, rest, all.count - done, Int32(MSG_NOSIGNAL))
            }
            try RawSocketError.check(Int32(clamping: written), "send")
            done += written
        }
    }
}
