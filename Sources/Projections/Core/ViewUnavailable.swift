package import Broker

/// A view that can't answer.
///
/// Others are not concerned.
package struct ViewUnavailable: Error, CustomStringConvertible {
    package enum Reason: Sendable {
        /// The view has stopped; the text says at what.
        case failed(String)
        /// The view didn't come as far as it was asked to in time.
        case late
        /// The view is closed.
        case stopped
    }

    /// The view's name.
    package var view: String
    package var reason: Reason

    package init(view: String, reason: Reason) {
        self.view = view
        self.reason = reason
    }

    package var description: String {
        switch reason {
        case .failed(let text): "the view \(view) has stopped: \(text)"
        case .late: "the view \(view) is too far behind the log; try again"
        case .stopped: "the view \(view) is closed"
        }
    }
}

/// An event that a projection can't take in: the view stops before it.
package struct PoisonEvent: Error, CustomStringConvertible {
    package var offset: Offset
    /// Nil if not even the header can be read.
    package var type: EventType?
    package var reason: any Error

    package var description: String { "event \(offset)\(type.map { " (\($0.name))" } ?? ""): \(reason)" }
}
