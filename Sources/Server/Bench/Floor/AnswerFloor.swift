import Foundation

/// The least that the kernel takes to answer the queries of a ``QueryBench``: a bare loop in a process of its own that
/// reads a request and writes the bytes that the server answered with.
///
/// It parses nothing and reads no table, so it is the floor of the kernel's part and not of reading rows. The same
/// clients ask, and check the answers.
struct AnswerFloor: Sendable {
    private let bench: QueryBench
    /// What the server has answered to each query of the bench.
    private let answers: [[UInt8]]

    init(_ bench: QueryBench, answers: [[UInt8]]) {
        self.bench = bench
        self.answers = answers
    }

    /// Does it as often as asked for, with files in `folder`.
    func rounds(
        _ count: Int,
        in folder: DataFolder,
        on cores: BenchCores?,
        _ bar: ProgressBar
    ) async throws
        -> [BenchRound]
    {
        var rounds: [BenchRound] = []
        for _ in 0..<count {
            var round = BenchRound()
            for (query, answer) in zip(bench.queries, answers) {
                let file = folder.path + "/answer"
                try Data(Self.frame(answer)).write(to: URL(fileURLWithPath: file))
                let requests = [bench.warmups, bench.count].flatMap { ["--requests", "\($0)"] }
                let figures = try await FloorServer.with("answers", ["--answer", file] + requests, on: cores) {
                    server in
                    try await bench.round(of: query, on: server.target, paths: ["/0", "/1"], bar: bar).round
                }
                round.add(figures.only(figures.metrics.filter { $0 != .cpu("client", of: query.name) }))
            }
            rounds.append(round)
        }
        return rounds
    }

    /// `answer` as one text frame.
    static func frame(_ answer: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            switch answer.count {
            case 0...125: [UInt8(answer.count)]
            case 126...0xFFFF: [126] + [8, 0].map { UInt8(truncatingIfNeeded: answer.count >> $0) }
            default: [127] + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: answer.count >> $0) }
            }
        return [0x81] + length + answer
    }
}
