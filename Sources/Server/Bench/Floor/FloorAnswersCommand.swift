import ArgumentParser
import Foundation
import RawSockets

/// `quipu bench floor answers`: answers each request of its sockets with the same bytes, one socket after the other.
struct FloorAnswersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "answers")

    @Option(help: "A file with the bytes of the answer.") var answer: String
    @Option(help: "Requests of a socket; once for each, in the order of their paths.") var requests: [Int]

    func validate() throws {
        guard !requests.isEmpty, requests.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("a number is too small.")
        }
    }

    func run() async throws {
        let answer = [UInt8](try Data(contentsOf: URL(fileURLWithPath: answer)))
        let listener = try RawListener()
        StandardOutput.print("\(listener.port)")
        var connections: [Int: RawConnection] = [:]
        while connections.count < requests.count {
            let connection = try listener.accept()
            connections[try FloorSocketsCommand.greet(connection)] = connection
        }
        // A request is shorter than a segment, and the next one comes when it is answered: each is one read.
        var request: [UInt8] = []
        for (index, count) in requests.enumerated() {
            guard let connection = connections[index] else { throw CommandFailure("no socket has the path /\(index)") }
            for _ in 0..<count {
                request.removeAll(keepingCapacity: true)
                guard try connection.read(atMost: 4096, to: &request) else {
                    throw CommandFailure("a client left before all was answered")
                }
                try connection.write(answer.span)
            }
        }
        let goodBye: [UInt8] = [0x88, 2, 0x03, 0xE8]
        for connection in connections.values {
            _ = try connection.read(atMost: 4096, to: &request)
            try connection.write(goodBye.span)
        }
        _ = readLine()
    }
}
