import NIOCore
import RawSockets

// The way of a session's bytes into its socket.

extension Session {
    /// Writes `bytes` after all that was written before.
    ///
    /// What the kernel takes at once goes straight to it: of a delivery of one message a third of the processor time in
    /// user space went by NIO's pipeline and its list of pending writes. What it doesn't take, the channel keeps, and
    /// all that follows as well, until it has written that.
    func write(_ bytes: ByteBuffer) {
        guard let context else { return }
        var rest = bytes
        // The channel tells that it is closed, which ends ``context``, in the same step in which it closes its socket.
        // All that may come between is that the promises of queued writes fail.
        if queuedWrites == 0, let socket = socket ?? findSocket(of: context) {
            let taken = socket.send(bytes.readableBytesUInt8Span)
            guard taken < bytes.readableBytes else { return }
            rest.moveReaderIndex(forwardBy: taken)
        }
        queue(rest, context)
    }

    /// Whether the channel holds so much already that it wants no more.
    var isFull: Bool {
        guard queuedWrites > 0, let context else { return false }
        return !context.channel.isWritable
    }

    private func queue(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        queuedWrites += 1
        let written = context.eventLoop.makePromise(of: Void.self)
        // Not weakly: that would cost each session a side table for good, and the channel ends every write.
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            queuedWrites -= 1
            if case .success = result { hasWritten = true }
        }
        context.writeAndFlush(NIOAny(bytes), promise: written)
    }

    /// The channel's own socket, which is open for as long as the channel is.
    ///
    /// Nil for a channel that has none, and as long as nothing has gone by the channel. To find it takes longer than to
    /// write: who only listens doesn't need it.
    private func findSocket(of context: ChannelHandlerContext) -> BorrowedSocket? {
        guard hasWritten else { return nil }
        let operations = context.pipeline.syncOperations
        socket = try? operations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
            BorrowedSocket(descriptor: descriptor)
        }
        return socket
    }
}
