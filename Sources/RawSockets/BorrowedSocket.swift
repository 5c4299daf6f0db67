internal import Glibc

/// A connected socket that somebody else owns and closes.
///
/// Whoever has one must know that it is still open: after it is closed its number may be another's.
package struct BorrowedSocket: Sendable {
    private let descriptor: Int32

    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes as much of `bytes` as the kernel takes without waiting.
    ///
    /// - Returns: How many bytes it took; 0 if it takes none now or never will: the owner finds out which.
    package func send(_ bytes: borrowing Span<UInt8>) -> Int {
        let written = unsafe bytes.withUnsafeBytes { all in
            unsafe Glibc.send(descriptor, all.baseAddress, all.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        return max(0, written)
    }
}
