import Broker
import DequeModule
import NIOCore

// The requests that wait, the commands that were submitted for them, and the order of the replies.

extension Session {
    // MARK: Receipts

    /// Takes in what became of the command that this socket submitted first of those unanswered.
    ///
    /// - Returns: Whether there may be something to write or to go on with.
    func resolve(_ outcome: Outcome, _ batch: EventBatch) -> Bool {
        guard let awaited = cursor.replies.nextAwaited() else { return false }
        let (reply, at) = receiptReply(to: awaited, outcome, batch)
        if at > 0 {
            told = max(told, at)
            if awaited.standsForEvent, case .stored = outcome { cursor.acknowledge(at) }
        }
        cursor.replies.fulfil(reply, at: at)
        if case .guest = awaited, let held = heldForGuest {
            heldForGuest = nil
            if case .account = outcome {
                inbox.putBack(held)
            } else {
                refuse(held, .notStored, Self.notStoredText)
            }
        }
        return true
    }

    /// Writes the replies whose turn it is.
    func flush() {
        guard !cursor.isLagging, answer == nil else { return }
        var bytes = ByteBuffer()
        flushReplies(upTo: dispatcher.position, into: &bytes)
        if bytes.readableBytes > 0 { writeEvents(bytes, upTo: position) }
    }

    func flushReplies(upTo offset: Offset, into bytes: inout ByteBuffer) {
        while let reply = cursor.replies.popReady(upTo: offset) {
            switch reply {
            case .json(let json): bytes.writeTextFrame(json)
            case .ack(let ack): write(ack, to: &bytes)
            case nil: break
            }
        }
    }

    func submitSilently(_ command: Command) {
        if dispatcher.submit(command, of: self) { cursor.replies.await(.silentMark) }
    }

    // MARK: Requests

    /// Takes in a message of the client's, which is a request or nothing that we know.
    ///
    /// - Parameter isUTF8: Whether it came as text, which has been checked.
    func receive(_ payload: Span<UInt8>, isUTF8: Bool) {
        // What comes after the server was asked to stop isn't begun any more; without an ack, it will be sent again.
        guard !isClosing, comesBackAfter == nil else { return }
        do throws(BadRequest) {
            let frame = try ClientFrame.parse(payload, isUTF8: isUTF8, limits: services.frameLimits)
            inbox.append(frame, bytes: payload.count)
        } catch {
            inbox.append(error, bytes: payload.count)
        }
    }

    /// Handles requests until one has to wait for what came before it.
    func pump() {
        var budget = Self.requestsAtOnce
        while !inbox.isEmpty, !isClosing, heldForGuest == nil, viewWait == nil, answer == nil, cursor.resume == nil {
            guard mayBegin(inbox.firstType) else { break }
            guard budget > 0 else {
                pumpSoon()
                break
            }
            budget -= 1
            switch inbox.removeFirst() {
            case .request(let frame): handle(frame)
            case .invalid(let error):
                reply(
                    Outbound.serverReply(.badRequest, error.message) { json in
                        Self.writeReply(to: error.type, ref: error.ref, &json)
                    }
                )
            }
        }
        flush()
        if missedPresence, !cursor.isLagging, answer == nil {
            missedPresence = false
            dispatcher.watches.settle(watched)
        }
        if comesBackAfter != nil { drainIfDone() }
        if let resume = whenUnsaturated, !isSaturated {
            whenUnsaturated = nil
            resume()
        }
    }

    /// Whether what was asked for before a request of that type is answered, as far as it needs it.
    private func mayBegin(_ type: Int?) -> Bool {
        // A query sees what was asked for before it, and a cursor is moved only when no ack waits for its place. Who is
        // online may be a long answer, so there is one at a time.
        switch type {
        case 2, 3, 4, 6, 8: break
        default: return true
        }
        if hasReplies { flush() }
        return !hasReplies && (type == 6 || !cursor.isLagging)
    }

    /// Whether so much waits that the client must not be read from for now.
    var isSaturated: Bool {
        let limits = services.settings.limits
        return inbox.count + cursor.replies.count >= limits.pendingRequests || inbox.bytes > 2 * limits.frameBytes
    }

    /// Goes on after the others on this loop.
    private func pumpSoon() {
        dispatcher.later { [weak self] in self?.pump() }
    }

    private static let requestsAtOnce = 256

    /// Appends a reply in its place.
    func reply(_ json: ByteBuffer) { cursor.replies.append(.json(json)) }

    /// Submits a command whose answer is due to the client.
    func submit(_ command: Command, awaiting awaited: ReplyQueue.Awaited, for frame: ClientFrame) {
        if dispatcher.submit(command, of: self) {
            cursor.replies.await(awaited)
        } else {
            refuse(frame, .notStored, Self.notStoredText)
        }
    }

    /// Lets the named guest in, then comes back to `frame`.
    func admitGuest(_ name: AccountName, then frame: ClientFrame) {
        if dispatcher.submit(.admitGuest(name), of: self) {
            cursor.replies.await(.guest)
            heldForGuest = frame
        } else {
            refuse(frame, .notStored, Self.notStoredText)
        }
    }

    static let viewIsAwayText = "the view of this answer is behind or away; try again"
    static let notStoredText = "not stored: the log can't take it now; try again"
}
