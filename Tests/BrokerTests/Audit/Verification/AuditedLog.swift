import Cryptography

@testable import Broker

/// A log in memory, of messages and one account, and what its key signs: the files of an auditor.
struct AuditedLog {
    /// The event with a password's hash.
    static let credential: Offset = 5
    static let text = "Are you there? 👋"

    let signingKey: SigningKey
    var key: VerifierKey { signingKey.verifierKey }
    private(set) var events: [DisclosedEvent] = []
    private var tree = SampleTree(size: 0)

    init(size: Int, key: SigningKey? = nil, altering altered: Offset = 0) throws {
        let name = try SampleLog().logKey.name
        signingKey = key ?? SigningKey(name: name, privateKey: .generate())
        let hasher = SHA256()
        var batch = EventBatch(first: 1)
        for offset in 1...Offset(size) {
            let isCredential = offset == Self.credential
            let header = EventHeader(
                type: isCredential ? .userRegistered : .messageSent,
                payloadClass: isCredential ? .credential : .content,
                milliseconds: 1_767_225_600_000 + offset,
                actor: Sample.id(1),
                subject: Sample.id(isCredential ? 1 : 2),
                stream: Sample.id(isCredential ? 1 : 9),
                revision: isCredential ? 1 : offset
            )
            let text = offset == altered ? "another" : Self.text
            let payload = MessagePayload.encode(content: Array(text.utf8))
            batch.append(header: header, salt: (offset, 7), payload: payload.span)
        }
        for index in batch.entries.indices {
            try batch.withRecord(at: index) { record in
                events.append(DisclosedEvent(record, with: hasher))
                tree.append(record.leafHash(with: hasher), with: hasher)
            }
        }
    }

    func note(_ size: UInt64, cosignedBy witness: SigningKey? = nil) throws -> SignedNote {
        let root = MerkleTree.root(size: size, with: SHA256(), read: tree.hash(of:))
        let text = LogCheckpoint(origin: key.name, size: size, root: root).text
        return try SignedNote(signing: text, with: [signingKey] + (witness.map { [$0] } ?? []))
    }

    func checkpoint(_ size: UInt64) throws -> [UInt8] { try note(size).encode() }

    func proof(of offset: Offset, in size: UInt64, note: SignedNote? = nil, extra: [UInt8]? = nil) throws -> [UInt8] {
        let proof = try InclusionProof.prove(index: offset - 1, size: size, with: SHA256(), read: tree.hash(of:))
        let note = try note ?? self.note(size)
        return TlogProof(proof, note: note, extra: extra ?? events[Int(offset) - 1].bytes).encode()
    }

    func consistency(from old: UInt64, to new: UInt64) throws -> [UInt8] {
        let proof = try ConsistencyProof.prove(from: old, to: new, with: SHA256(), read: tree.hash(of:))
        return TlogConsistency(proof, note: try note(new)).encode()
    }
}
