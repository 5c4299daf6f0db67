import Broker
import Projections

/// A conversation or room of which the log and the view say that other numbers are unread.
struct UnreadDifference: Equatable, Sendable {
    var party: AuditEvent.Party
    var isRoom: Bool
    /// How many messages are unread by the log.
    var log: UInt64
    /// How many the view says.
    var view: UInt64

    /// All differences, conversations first, in the order of ids; names are yet to be found.
    static func all(between streams: [UnreadStream], and counts: UnreadView.Counts) -> [UnreadDifference] {
        differences(streams, counts.direct, isRoom: false) + differences(streams, counts.rooms, isRoom: true)
    }

    private static func differences(
        _ streams: [UnreadStream],
        _ items: [UnreadView.Counts.Item],
        isRoom: Bool
    ) -> [UnreadDifference] {
        var log: [Identifier: UInt64] = [:]
        for stream in streams where stream.isRoom == isRoom { log[stream.subject] = UInt64(stream.unread.count) }
        var view: [Identifier: UInt64] = [:]
        for item in items { view[item.id] = item.count }
        return Set(log.keys).union(view.keys).sorted().compactMap { id in
            let difference = UnreadDifference(
                party: AuditEvent.Party(id: id, name: nil),
                isRoom: isRoom,
                log: log[id] ?? 0,
                view: view[id] ?? 0
            )
            return difference.log == difference.view ? nil : difference
        }
    }
}
