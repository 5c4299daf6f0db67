import Broker
import Logging
import NIOCore
import Projections

// Queries: each waits until its view has seen what the socket was told, and is answered a slice at a time.

extension Session {
    // MARK: Queries

    /// Gives `answer` once `view` has seen all that this socket was told.
    func give(_ answer: any QueryAnswer, from view: View) {
        whenProjected(max(told, position), view, answer.frame) { session in
            session.answer = answer
            session.continueAnswer()
        }
    }

    /// Goes on with `frame` once `view` has come to `least`; refuses it if that takes too long.
    func whenProjected(_ least: Offset, _ view: View, _ frame: ClientFrame, _ body: @escaping (Session) -> Void) {
        if view.projected >= least {
            body(self)
            return
        }
        let wait = beginViewWait()
        let loop = dispatcher.loop
        let state = NIOLoopBound((self, body), eventLoop: loop)
        let token = view.whenProjected(least) {
            loop.execute {
                let (session, body) = state.value
                guard session.viewWait == wait else { return }
                session.viewWait = nil
                body(session)
                session.pump()
            }
        }
        let patience = TimeAmount.milliseconds(Int64(services.settings.limits.queryWaitMilliseconds))
        loop.assumeIsolated().scheduleTask(in: patience) { [weak self] in
            guard let self, viewWait == wait, view.projected < least else { return }
            token.cancel()
            viewWait = nil
            refuse(frame, .notStored, Self.viewIsAwayText)
            pump()
        }
    }

    /// Writes the answer on, a slice at a time: a long one is a fragmented message (RFC 6455, 5.4), between whose
    /// fragments only control frames may come, so the socket lags meanwhile.
    func continueAnswer() {
        guard let context, !isClosing, context.channel.isWritable, var current = answer else { return }
        do {
            var bytes = dispatcher.takeAnswerBytes()
            let isDone = try current.writeSlice(to: &bytes)
            answer = isDone ? nil : current
            if !isDone { lag() }
            if bytes.readableBytes > 0 { write(Dispatcher.toKeep(bytes)) }
            dispatcher.answerBytes = bytes
            if isDone {
                if let mark = current.mark { submitSilently(mark) }
                finishAnswer()
            } else {
                continueAnswerSoon()
            }
        } catch {
            services.logger.error("a query failed", metadata: ["error": "\(error)"])
            answer = nil
            guard !current.hasBegun else { return close(code: 1011, reason: "the answer can't be read") }
            refuse(current.frame, .notStored, Self.viewIsAwayText)
            flush()
        }
    }

    /// Writes on after the others on this loop.
    private func continueAnswerSoon() {
        guard !isContinuing, context != nil else { return }
        isContinuing = true
        dispatcher.later { [weak self] in
            self?.isContinuing = false
            self?.continueAnswer()
        }
    }

    func finishAnswer() {
        if isFull { lag() }
        if cursor.isLagging { catchUp() } else { flush() }
    }
}
