import Foundation
import Synchronization

/// A line on the terminal that says how far something is, how fast it goes, and how long it will take.
///
/// Nothing is shown if standard error is no terminal, nor for what takes less than half a second. May be used from any
/// thread.
final class ProgressBar: Sendable {
    private struct State {
        var line: ProgressLine
        var startedAt: ContinuousClock.Instant
        var shownAt: ContinuousClock.Instant?
    }

    private let state: Mutex<State>
    private let isShown: Bool
    private static let quietTime = Duration.milliseconds(500)
    private static let interval = Duration.milliseconds(100)

    init(label: String = "", unit: String, isShown: Bool = isatty(2) == 1) {
        state = Mutex(State(line: ProgressLine(label: label, unit: unit), startedAt: .now))
        self.isShown = isShown
    }

    /// Shows that so many are done; another label than before begins anew.
    func update(label: String? = nil, done: UInt64, total: UInt64) {
        guard isShown else { return }
        let now = ContinuousClock.now
        let text = state.withLock { state -> String? in
            if let label, label != state.line.label {
                state.line.label = label
                state.startedAt = now
            }
            guard now - (state.shownAt ?? state.startedAt) > (state.shownAt == nil ? Self.quietTime : Self.interval)
            else { return nil }
            state.shownAt = now
            state.line.done = done
            state.line.total = total
            state.line.seconds = (now - state.startedAt) / .seconds(1)
            return state.line.text
        }
        // To the line's beginning, and whatever was longer before is erased.
        if let text { write("\r" + text + "\u{1B}[K") }
    }

    /// Takes the line away.
    func finish() {
        guard isShown, state.withLock({ $0.shownAt.take() }) != nil else { return }
        write("\r\u{1B}[K")
    }

    private func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}

/// The text of a progress bar.
struct ProgressLine: Equatable, Sendable {
    var label: String
    var unit: String
    var done: UInt64 = 0
    var total: UInt64 = 0
    var seconds: Double = 0

    private static let cells = 24

    /// As in `users [######------------------]  25%  1,234,567 events/s  0:07 left`.
    var text: String {
        let part = total == 0 ? 1 : min(1, Double(done) / Double(total))
        let full = Int(part * Double(Self.cells))
        let bar = String(repeating: "#", count: full) + String(repeating: "-", count: Self.cells - full)
        let percent = "\(Int(part * 100))%"
        var text = label.isEmpty ? "" : label + " "
        text += "[\(bar)] " + String(repeating: " ", count: 4 - percent.count) + percent
        guard seconds > 0, done > 0 else { return text }
        let rate = Double(done) / seconds
        text += "  \(Int(rate).grouped) \(unit)/s"
        guard total > done else { return text }
        return text + "  \(Self.clock(Double(total - done) / rate)) left"
    }

    /// As in `0:07`, `12:34` and `1:02:03`.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(.up), 359_999))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        guard whole >= 3600 else { return "\(whole / 60):\(two(whole % 60))" }
        return "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }
}
