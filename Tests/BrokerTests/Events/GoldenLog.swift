import Cryptography
import Foundation
import LMDB

@testable import Broker

/// The records that format 1 was released with, and what they must be read as for ever.
///
/// `format-1.log` holds the stored bytes, oldest first, each with its length before it, four bytes little-endian; the
/// offset of the first is 1. `format-1.json` beside it says what they mean. `format-1-erasure` is another log, with the
/// types that came later.
enum GoldenLog: String, CaseIterable {
    case first = "format-1"
    case erasure = "format-1-erasure"

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Golden").standardized
    var recordsFile: URL { Self.folder.appending(path: rawValue + ".log") }
    var expectationsFile: URL { Self.folder.appending(path: rawValue + ".json") }

    /// The stored bytes of each event.
    func records() throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: recordsFile))
        var records: [[UInt8]] = []
        var position = 0
        while position < bytes.count {
            let length = Int(bytes.span.littleEndian(at: position, as: UInt32.self))
            position += 4
            records.append(Array(bytes[position..<position + length]))
            position += length
        }
        return records
    }

    func expectations() throws -> [Expectation] {
        try JSONDecoder().decode([Expectation].self, from: Data(contentsOf: expectationsFile))
    }

    /// Writes both files.
    func write(_ records: [[UInt8]]) throws {
        var bytes: [UInt8] = []
        for record in records {
            bytes.append(littleEndian: UInt32(record.count))
            bytes += record
        }
        let expectations = try records.enumerated().map { try Expectation(of: $1, at: Offset($0 + 1)) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: recordsFile)
        try (encoder.encode(expectations) + Data("\n".utf8)).write(to: expectationsFile)
    }

    /// What a record says.
    struct Expectation: Codable, Equatable {
        var offset: Offset
        var type: String
        var version: UInt8
        var payloadClass: UInt8
        var milliseconds: UInt64
        var actor: String
        var subject: String
        var stream: String
        var revision: UInt64
        var reference: Offset
        var isRedacted: Bool
        var payload: [String: String]
        var commitment: String
        var leafHash: String

        init(of bytes: [UInt8], at offset: Offset) throws {
            let record = try Record(bytes.span, at: offset)
            let header = record.header
            self.offset = record.offset
            type = header.type.name
            version = header.version
            payloadClass = header.payloadClass.rawValue
            milliseconds = header.milliseconds
            actor = header.actor.description
            subject = header.subject.description
            stream = header.stream.description
            revision = header.revision
            reference = header.reference
            isRedacted = record.isRedacted
            payload = try record.decodePayload().fields
            commitment = record.commitment(with: SHA256()).description
            leafHash = record.leafHash(with: SHA256()).description
        }
    }
}

extension EventPayload {
    /// The fields as texts, by their names.
    fileprivate var fields: [String: String] {
        switch self {
        case .userRegistered(let user):
            [
                "account": user.account.text, "username": user.username, "email": user.email,
                "passwordHash": user.passwordHash, "occurredAtMilliseconds": String(user.occurredAtMilliseconds),
                "legacyID": user.legacyID,
            ]
        case .guestSeen(let account): ["account": account.text]
        case .userLoggedIn(let address, let port): ["address": address, "port": String(port)]
        case .loginFailed(let address): ["address": address]
        case .messageSent(let content, let id): ["content": content, "id": id]
        case .messageEdited(let content): ["content": content]
        case .roomCreated(let name): ["name": name]
        case .payloadRedacted(let reason), .userErased(let reason): ["reason": reason]
        case .viewAttested(let views):
            Dictionary(uniqueKeysWithValues: views.map { ("\($0.name)-v\($0.version)", $0.digest.description) })
        case .auditorRead(let request): ["request": request]
        case .empty, .redacted: [:]
        }
    }
}
