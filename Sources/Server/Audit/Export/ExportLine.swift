import Broker
import Cryptography

/// An event as a line of JSON: readable, with the record and the proof that it is in the log.
///
/// All of a line follows from the offset, the record, the names and the tree. So whoever verifies makes it anew and
/// compares bytes: nothing in it can be changed, added or left out.
struct ExportLine {
    /// The names of accounts and rooms; without those that were erased.
    var names: [Identifier: String] = [:]
    private var proofText = ProofText()

    /// Appends the line of an event, with its end.
    ///
    /// - Throws: ``CommandFailure`` if the payload can't be read.
    mutating func append(_ event: DisclosedEvent, _ proof: InclusionProof, to bytes: inout [UInt8]) throws {
        var object = JSONObjectWriter()
        try write(event, proof, to: &object)
        finish(&object, to: &bytes)
    }

    /// Appends the line of an event that gives a name, with what it names before the rest, and learns the name.
    ///
    /// - Parameter stated: The name that the operator states, where the record doesn't show it.
    /// - Throws: ``CommandFailure`` if the payload can't be read.
    mutating func append(
        naming event: DisclosedEvent,
        stated: String?,
        _ proof: InclusionProof,
        to bytes: inout [UInt8]
    ) throws {
        guard let id = event.record.header.named else {
            throw CommandFailure("event \(event.offset) names nothing")
        }
        let proven = try event.provenName
        let name = proven ?? (event.isWithheld ? stated : nil)
        names[id] = name
        var object = JSONObjectWriter()
        object.text("id", id.description)
        object.text("name", name)
        object.text("name_is", proven != nil ? "proven" : name != nil ? "stated" : "erased")
        try write(event, proof, to: &object)
        finish(&object, to: &bytes)
    }

    private mutating func write(
        _ event: DisclosedEvent,
        _ proof: InclusionProof,
        to object: inout JSONObjectWriter
    ) throws {
        let record = event.record
        let header = record.header
        object.number("offset", event.offset)
        object.number("index", event.offset - 1)
        object.text("time", Timestamp.text(milliseconds: header.milliseconds))
        object.text("type", header.type.name)
        object.number("version", UInt64(header.version))
        object.text("actor", names[header.actor])
        object.text("actor_id", header.actor.description)
        object.text("subject", names[header.subject])
        object.text("subject_id", header.subject.description)
        object.text("stream", header.stream.description)
        object.number("revision", header.revision)
        object.number("reference", header.reference)
        object.flag("withheld", event.isWithheld)
        object.flag("redacted", record.isRedacted && !event.isWithheld)
        object.payload(try record.readPayload())
        object.raw("record") { bytes in
            bytes.append(UInt8(ascii: "\""))
            Base64.append(event.bytes.span, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        object.raw("proof") { proofText.append(proof, to: &$0) }
    }

    private func finish(_ object: inout JSONObjectWriter, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: object.finished)
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension DisclosedEvent {
    /// Whether it holds a secret, and so nothing but its commitment is shown, whether it was erased or not.
    var isWithheld: Bool { record.header.payloadClass == .credential }

    /// The name that the event's payload gives, if it is shown.
    var provenName: String? {
        get throws {
            switch try record.readPayload() {
            case .guestSeen(let account): account.text
            case .roomCreated(let name): name
            default: nil
            }
        }
    }
}

/// The hashes of proofs as a JSON array; neighbours share all but a few, whose text is kept.
private struct ProofText {
    private var hashes: [Digest] = []
    private var texts: [[UInt8]] = []

    mutating func append(_ proof: InclusionProof, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        for (index, hash) in proof.hashes.enumerated() {
            if index == hashes.count {
                hashes.append(hash)
                texts.append(Self.text(hash))
            } else if hashes[index] != hash {
                hashes[index] = hash
                texts[index] = Self.text(hash)
            }
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: texts[index])
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private static func text(_ hash: Digest) -> [UInt8] { Array("\"\(hash.base64)\"".utf8) }
}
