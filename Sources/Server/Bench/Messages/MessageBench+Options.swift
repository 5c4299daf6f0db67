import ArgumentParser

extension MessageBench {
    /// Checks what all commands that send messages are told.
    ///
    /// - Throws: `ValidationError`, which names the options.
    func validate() throws {
        guard 1...1_000 ~= senders else { throw ValidationError("--senders must be 1 to 1,000.") }
        // More than the server answers at once would wait in the socket, and be no test of the server.
        guard 1...1_024 ~= inFlight else { throw ValidationError("--in-flight must be 1 to 1,024.") }
        guard 1...100_000_000 ~= messages else { throw ValidationError("--messages must be 1 to 100,000,000.") }
        guard messages % allSenders == 0 else {
            throw ValidationError("--messages must be a multiple of all senders, \(allSenders): each sends as many.")
        }
        guard BenchMark.leastContentBytes...65_536 ~= bytes else {
            throw ValidationError("--bytes must be \(BenchMark.leastContentBytes) to 65,536.")
        }
    }

    /// For the report.
    var settings: [String: Int] {
        var settings = [
            "rooms": rooms, "subscribers": subscribers, "senders": senders, "messages": messages, "bytes": bytes,
        ]
        if let messagesPerSecond {
            settings["messages_per_second"] = messagesPerSecond
        } else {
            settings["in_flight"] = inFlight
        }
        return settings
    }
}
