import Testing

/// Returns when `condition` holds; records a failure if that takes longer than a minute.
func eventually(_ what: Comment, _ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        try #require(ContinuousClock.now < deadline, what)
        await Task.yield()
    }
}
