import ArgumentParser

/// `quipu bench`: how fast it is, on this machine.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how fast this machine serves, and check every result.",
        discussion: """
            Most start a server in a process of its own, on a temporary folder and a free port of 127.0.0.1, bound to
            one core, and load it from another; --url measures one that runs already. They end with 1 if anything is
            lost, comes twice or out of order, or was acknowledged and isn't stored. Times of a process are those of
            all its threads, user and system.
            """,
        subcommands: [
            FanoutCommand.self, IngestCommand.self, LatencyCommand.self, QueryCommand.self, ReplayBenchCommand.self,
            ConnectionsCommand.self, GrowthCommand.self, ResumeCommand.self, SlowCommand.self, FloorCommand.self,
        ]
    )
}
