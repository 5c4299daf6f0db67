internal import Glibc

/// A connection that blocks: each call is one of the kernel's, or several if the kernel takes less at once.
package final class RawConnection: Sendable {
    private let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var on: Int32 = 1
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
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
