import Broker
import Foundation

extension FolderReport {
    /// For people, the verdict last but for the checkpoint.
    var lines: [String] {
        var lines = logLines + faultLines
        for checkpoint in checkpoints {
            let verdict = checkpoint.problem ?? "the log continues it, from event \(checkpoint.size ?? 0) on"
            lines.append(
                "\(Self.title("checkpoint"))\(TerminalText.escape(checkpoint.file)): \(TerminalText.escape(verdict))"
            )
        }
        if let keyProblem { lines.append(Self.title("key") + TerminalText.escape(keyProblem)) }
        if let viewsSkipped { lines.append(Self.title("views") + viewsSkipped) }
        lines += views.flatMap(Self.lines)
        switch outcome {
        case .verified: lines.append("verified")
        case .refuted: lines.append("refuted: what is here isn't what was written")
        case .unknown: lines.append("not known: a newer version of quipu has written here; verify with that one")
        }
        if let checkpoint {
            lines.append("")
            lines += String(decoding: checkpoint.encode(), as: UTF8.self).split(
                separator: "\n",
                omittingEmptySubsequences: false
            ).dropLast().map(String.init)
        }
        return lines
    }

    private var logLines: [String] {
        guard let log, let verification else {
            return [Self.title("log") + "its file is damaged; its events weren't read"]
        }
        let time = String(format: "%.2f", seconds)
        let work = "\(Int(eventCount).grouped) events of \(verification.streams.grouped) streams in \(time) s"
        var lines = [
            "\(Self.title("log"))\(log)",
            "\(Self.title(""))\(work) (\(Int(eventsPerSecond).grouped) events/s)",
        ]
        if let head { lines.append("\(Self.title("head"))\(head.size) \(head.root.base64)") }
        if head != nil, checkpoint == nil {
            lines.append("\(Self.title(""))not signed: the folder's key isn't there or can't be read")
        }
        return lines
    }

    private var faultLines: [String] {
        var lines = faults.map { fault in
            let text = fault.description
            return "\(Self.title("fault"))\(TerminalText.pad(fault.code, to: 14))\(TerminalText.escape(text))"
        }
        if moreFaults > 0 { lines.append("\(Self.title(""))and \(moreFaults) more") }
        return lines
    }

    private static func lines(_ view: FolderViews.Finding) -> [String] {
        let name = title("view") + TerminalText.pad(view.view, to: 13)
        let rest = view.otherAttestations > 0 ? ", \(view.otherAttestations) attestations not looked at" : ""
        guard let events = view.events else { return [name + "not there: a server makes it when it starts" + rest] }
        guard view.differences.isEmpty else {
            return view.differences.map { name + "different: " + TerminalText.escape($0) }
        }
        let rate = view.seconds > 0 ? Int(Double(events) / view.seconds) : 0
        var text = "\(name)identical at event \(events), \(rate.grouped) events/s"
        if view.attestations > 0 { text += ", \(view.attestations) attestations hold" }
        return [text + rest]
    }

    private static func title(_ text: String) -> String { TerminalText.pad(text, to: 10) }

    /// For machines: one object.
    var json: String {
        var object = JSONObjectWriter()
        object.text("outcome", outcome.rawValue)
        object.text("log", log?.description)
        object.number("events", eventCount)
        object.number("streams", UInt64(verification?.streams ?? 0))
        object.number("events_per_second", UInt64(eventsPerSecond))
        object.objects("faults", faults.map(Self.object))
        object.number("more_faults", moreFaults)
        object.text("key_problem", keyProblem)
        object.objects("checkpoints", checkpoints.map(Self.object))
        object.text("views_skipped", viewsSkipped)
        object.objects("views", views.map(Self.object))
        var headObject = JSONObjectWriter()
        if let head {
            headObject.number("size", head.size)
            headObject.text("root", head.root.base64)
        }
        object.object("head", head == nil ? nil : headObject)
        object.text("checkpoint", checkpoint.map { String(decoding: $0.encode(), as: UTF8.self) })
        return String(decoding: object.finished, as: UTF8.self)
    }

    private static func object(_ fault: LogFault) -> JSONObjectWriter {
        var object = JSONObjectWriter()
        object.text("code", fault.code)
        object.number("first", fault.offsets.lowerBound)
        object.number("last", fault.offsets.upperBound)
        object.text("message", fault.description)
        return object
    }

    private static func object(_ checkpoint: Checkpoint) -> JSONObjectWriter {
        var object = JSONObjectWriter()
        object.text("file", checkpoint.file)
        if let size = checkpoint.size { object.number("size", size) }
        object.flag("continued", checkpoint.problem == nil)
        object.text("problem", checkpoint.problem)
        return object
    }

    private static func object(_ view: FolderViews.Finding) -> JSONObjectWriter {
        var object = JSONObjectWriter()
        object.text("view", view.view)
        object.flag("identical", view.events == nil ? nil : view.differences.isEmpty)
        object.number("offset", view.events ?? 0)
        object.text("digest", view.digest.isEmpty ? nil : view.digest)
        object.number("attestations", UInt64(view.attestations))
        object.text("difference", view.differences.first)
        return object
    }
}
