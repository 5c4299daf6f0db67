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
        if queuedWrites == 0, context.channel.isActive, let socket = ownSocket(of: context.channel) {
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
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            queuedWrites -= 1
            hasWritten = true
        }
        context.writeAndFlush(NIOAny(bytes), promise: written)
    }

    /// The channel's own socket, which is open for as long as the channel is active.
    ///
    /// Nil for a channel that has none, and as long as nothing has gone by the channel. To find it takes longer than to
    /// write: who only listens doesn't need it.
    private func ownSocket(of channel: any Channel) -> BorrowedSocket? {
        guard socket == nil, hasWritten else { return socket }
        let operations = channel.pipeline.syncOperations
        socket = try? operations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
            BorrowedSocket(descriptor: descriptor)
        }
        return socket
    }
}
