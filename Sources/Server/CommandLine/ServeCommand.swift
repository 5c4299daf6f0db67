import ArgumentParser
import Broker
import Foundation
import Logging
import NIOCore
import Projections

/// `quipu serve`: the server.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves the chat over HTTP and WebSocket until SIGTERM or SIGINT.",
        discussion: """
            quipu serve
            quipu serve --config /etc/quipu.json --data /var/lib/quipu
            quipu serve --auth open --port 9000
            """
    )

    @Option(help: ArgumentHelp("The configuration (default: config.json, if it is there).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The data folder (server.data).", valueName: "dir"))
    var data: String?

    @Option(help: "The address to listen on (server.address).")
    var address: String?

    @Option(help: "The port to listen on; 0 for any that is free (server.port).")
    var port: Int?

    @Option(help: ArgumentHelp("Who may come: required (a token is needed) or open (auth.mode).", valueName: "mode"))
    var auth: Settings.Auth.Mode?

    @Flag(help: "Allows mode open on an address that others can reach.")
    var insecure = false

    func run() async throws {
        let (settings, warnings) = try await Settings.load(
            file: config,
            environment: ProcessInfo.processInfo.environment,
            overrides: .init(data: data, address: address, port: port, mode: auth, insecure: insecure)
        )
        var logger = Logger(label: "quipu") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = settings.logging.level
        for warning in warnings { logger.warning("\(warning)") }

        let folder = DataFolder(settings.server.data)
        let lock = try DataFolderLock(folder, command: "quipu serve")
        ScratchFolder.removeStale(in: folder)
        let bar = ProgressBar(label: "the log's Merkle tree", unit: "events")
        let server = try await QuipuServer(settings: settings, folder: folder, logger: logger) {
            bar.update(done: $0, total: $1)
        }
        bar.finish()
        if let warning = ErasureMark(folder).warning { logger.warning("\(warning)") }
        let (broker, views) = (server.services.broker, server.services.views)
        let handlers = ControlHandlers(folder: folder, broker: broker, views: views) {
            DataFolderLock.holder(of: folder)?.address
        }
        let control = try await ControlServer.bind(in: folder, handlers: handlers)
        try await server.run(with: [control]) { bound in
            let url = "http://\(Self.host(settings.server.address)):\(bound.port ?? 0)"
            try? lock.announce(address: url)
            banner(url, folder, server)
        }
        Self.say(["stopped: everything is on disk"])
    }

    private static func host(_ address: String) -> String { address.contains(":") ? "[\(address)]" : address }

    private func banner(_ url: String, _ folder: DataFolder, _ server: QuipuServer) {
        let log = server.services.broker.log
        let lags = server.services.views.lags.map { "\($0.name) \($0.events)" }.joined(separator: ", ")
        var lines = [
            "quipu serves on \(url) and \(url.replacing("http://", with: "ws://"))/ws",
            "  data folder  \(folder.path)",
            "  log          \(log.identity), head at offset \(log.head)",
            "  views        events behind: \(lags)",
            "  audit        checkpoints are signed; their verifier key: \(server.auditKey.verifierKey)",
        ]
        if server.settings.auth.mode == .open {
            lines.append("  auth         open: anybody who can connect may use any name, without a password.")
            lines.append(
                "               For tokens: --auth required, or \"auth\": {\"mode\": \"required\"} in config.json"
            )
        } else {
            lines.append("  auth         required: POST /account/register, POST /account/login, then a Bearer token")
        }
        Self.say(lines)
    }

    private static func say(_ lines: [String]) {
        try? StandardOutput.print { output in for line in lines { try output.line(line) } }
    }
}

extension Settings.Auth.Mode: ExpressibleByArgument {}
