internal import Glibc

/// A TCP socket of the loopback that waits for connections, without an event loop and without buffers: the least that
/// the kernel takes, for benchmarks to be held against.
///
/// Nothing that serves uses it.
package final class RawListener: Sendable {
    private let descriptor: Int32
    /// On 127.0.0.1.
    package let port: Int

    private static let backlog: Int32 = 4096

    /// Listens on a free port.
    ///
    /// - Throws: ``RawSocketError``.
    package init() throws(RawSocketError) {
        let opened = try RawSocketError.check(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), "socket")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var found = address
        var foundSize = size
        let codes = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe (bind(opened, address, size), listen(opened, Self.backlog))
            }
        }
        let named = unsafe withUnsafeMutablePointer(to: &found) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getsockname(opened, address, &foundSize)
            }
        }
        try RawSocketError.check(codes.0, "bind")
        try RawSocketError.check(codes.1, "listen")
        try RawSocketError.check(named, "getsockname")
        descriptor = opened
        port = Int(UInt16(bigEndian: found.sin_port))
    }

    deinit { _ = close(descriptor) }

    /// Waits for the next connection.
    package func accept() throws(RawSocketError) -> RawConnection {
        RawConnection(descriptor: try RawSocketError.check(Glibc.accept(descriptor, nil, nil), "accept"))
    }
}
