import NIOCore
import NIOHTTP1

@testable import Server

/// The server's ends of the connections of a test, in the order in which they came.
final class Connections: Sendable {
    private let channels: AsyncStream<any Channel>
    private let continuation: AsyncStream<any Channel>.Continuation

    init() {
        (channels, continuation) = AsyncStream.makeStream()
    }

    var admit: @Sendable (any Channel) -> Bool {
        { [continuation] channel in
            continuation.yield(channel)
            return true
        }
    }

    /// Returns when the next connection, once it has come, has been closed by the server altogether.
    ///
    /// - Throws: ``RawClient/DeadlinePassed`` if that takes more than 10 seconds.
    func nextClosed() async throws {
        for await channel in channels {
            let promise = channel.eventLoop.makePromise(of: Void.self)
            let deadline = channel.eventLoop.scheduleTask(in: .seconds(10)) {
                promise.fail(RawClient.DeadlinePassed(received: ""))
            }
            channel.closeFuture.whenComplete { _ in
                deadline.cancel()
                promise.succeed()
            }
            return try await promise.futureResult.get()
        }
    }
}

/// A decider that a test answers for.
final class PendingDecision: Sendable {
    private let promises: AsyncStream<EventLoopPromise<UpgradeDecision>>
    private let continuation: AsyncStream<EventLoopPromise<UpgradeDecision>>.Continuation

    init() {
        (promises, continuation) = AsyncStream.makeStream()
    }

    var decide: UpgradeGate.Decide {
        { [continuation] _, channel in
            let promise = channel.eventLoop.makePromise(of: UpgradeDecision.self)
            // A decision that never comes must not outlive its connection.
            channel.closeFuture.whenComplete { _ in promise.succeed(.http) }
            continuation.yield(promise)
            return promise.futureResult
        }
    }

    /// The next decision to make, once there is one.
    func asked() async -> EventLoopPromise<UpgradeDecision> {
        for await promise in promises { return promise }
        preconditionFailure("the stream never ends")
    }
}

/// One HTTP response taken apart.
struct Reply {
    let status: Int
    let headers: [String: String]
    let body: String

    init(_ text: String) {
        let head = text.firstRange(of: "\r\n\r\n")
        let lines = text[..<(head?.lowerBound ?? text.endIndex)].split(separator: "\r\n")
        status = lines.first.flatMap { Int($0.dropFirst("HTTP/1.1 ".count).prefix(3)) } ?? 0
        headers = lines.dropFirst().reduce(into: [:]) { headers, line in
            let parts = line.split(separator: ": ", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1]) : ""
        }
        body = head.map { String(text[$0.upperBound...]) } ?? ""
    }
}

/// Requests as they go over the wire.
enum RequestText {
    static func get(_ path: String, _ headers: String...) -> String {
        (["GET \(path) HTTP/1.1", "Host: h"] + headers).joined(separator: "\r\n") + "\r\n\r\n"
    }

    static func post(_ body: String, _ headers: String...) -> String {
        (["POST /echo HTTP/1.1", "Host: h"] + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}

/// Whether `condition` came true within 10 seconds; an error counts as not yet.
func eventually(_ condition: () async throws -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if (try? await condition()) == true { return true }
        await Task.yield()
    }
    return false
}
