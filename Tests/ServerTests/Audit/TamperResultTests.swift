import Testing

@testable import Server

/// When an attack counts as caught.
@Suite struct TamperResultTests {
    private static let finds = TamperAttack.Look(title: "finds", options: [], finds: true)
    private static let shows = TamperAttack.Look(title: "shows nothing", options: [], finds: false)

    private func result(_ runs: (TamperAttack.Look, killed: Bool, code: Int32)...) -> TamperResult {
        let attack = TamperAttack(name: "do harm", caughtBy: "luck", looks: []) { _ in "" }
        var result = TamperResult(number: 1, attack: attack, done: "harm")
        for (look, killed, code) in runs {
            result.add(look, .init(command: "quipu audit verify", wasKilled: killed, code: code, printed: "refuted\n"))
        }
        return result
    }

    @Test func `only a refutation by all who should have found it counts`() {
        #expect(result((Self.finds, false, 1)).isCaught)
        #expect(result((Self.shows, false, 0), (Self.finds, false, 1)).isCaught)
        #expect(!result((Self.finds, false, 0)).isCaught, "it was found in order")
        #expect(!result((Self.finds, false, 2)).isCaught, "it couldn't be told")
        #expect(!result((Self.finds, true, 1)).isCaught, "the verifier was killed")
        #expect(!result((Self.finds, false, 1), (Self.finds, false, 0)).isCaught)
        #expect(!result((Self.shows, false, 0)).isCaught, "nobody found it")
    }

    @Test func `what slips through is said`() {
        #expect(result((Self.finds, false, 0)).lines.last?.contains("NOT CAUGHT") == true)
        #expect(result((Self.finds, true, 11)).lines.contains { $0.contains("killed by signal 11") })
        let caught = result((Self.finds, false, 1))
        #expect(caught.lines.last?.contains("caught, by luck") == true)
        #expect(caught.lines.contains { $0.contains("refuted") })
    }
}
