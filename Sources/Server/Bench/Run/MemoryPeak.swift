import Synchronization

/// The most memory that a process had in use while something ran.
final class MemoryPeak: Sendable {
    private let process: ProcessFigures
    private let greatest = Atomic<Int>(0)
    private static let interval = Duration.milliseconds(20)

    init(of process: ProcessFigures) { self.process = process }

    var peak: Int { greatest.load(ordering: .relaxed) }

    /// Runs `body` and looks at the memory all the while.
    func watch(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask {
                while !Task.isCancelled {
                    self.look()
                    try? await Task.sleep(for: Self.interval)
                }
            }
            defer { group.cancelAll() }
            try await body()
        }
        look()
    }

    private func look() {
        guard let bytes = try? process.residentBytes() else { return }
        greatest.max(bytes, ordering: .relaxed)
    }
}
