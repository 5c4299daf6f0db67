import Broker
import NIOCore

// The end of a socket when the server stops: what was received is finished, then the client is told where to go on.

extension Session {
    /// Closes the socket as soon as all that its client has asked for is answered.
    ///
    /// - Parameter time: When the client may come back, told to it so that not all come at once.
    func drain(comesBackAfter time: TimeAmount) {
        guard !isClosing, comesBackAfter == nil else { return }
        comesBackAfter = time
        pump()
    }

    /// Says good-bye if nothing is left to answer, or if what is left can't be written before the client reads.
    func drainIfDone() {
        guard let time = comesBackAfter, !isClosing, let context else { return }
        let isStuck = !context.channel.isWritable
        // What waits behind a resume waits for a long time; its client will ask again.
        if cursor.resume != nil, !hasReplies { inbox.removeAll() }
        let isBusy = hasReplies || !inbox.isEmpty || answer != nil || viewWait != nil || heldForGuest != nil
        guard isStuck || !isBusy else { return }
        // In the middle of a fragmented message no other may come.
        if answer == nil, !isRoomSocket { write(goodbye(time).textFrame) }
        close(code: 1001, reason: "going away")
    }

    private var isRoomSocket: Bool { if case .room = kind { true } else { false } }

    private func goodbye(_ time: TimeAmount) -> ByteBuffer {
        Outbound.serverReply(.end, "连接断开") { json in
            json.writeStaticString(",\"offset\":")
            json.writeDecimal(position)
            json.writeLog(services.logText)
            json.writeStaticString(",\"retry_after_ms\":")
            json.writeDecimal(time.nanoseconds / 1_000_000)
        }
    }
}
