package import Cryptography
internal import Foundation
internal import LMDB
internal import SwiftProtobuf

/// What an event says beyond its header, in the newest version of its type.
package enum EventPayload: Equatable, Sendable {
    case userRegistered(UserRegistered)
    case guestSeen(account: AccountName)
    case userLoggedIn(address: String, port: UInt32)
    case loginFailed(address: String)
    case messageSent(content: String, id: String)
    case messageEdited(content: String)
    case roomCreated(name: String)
    case payloadRedacted(reason: String)
    case userErased(reason: String)
    case viewAttested([AttestedView])
    case auditorRead(request: String)
    /// The header says it all.
    case empty(EventType)
    /// The payload was erased.
    case redacted(EventType)

    /// A new account, or a guest's that became one.
    package struct UserRegistered: Equatable, Sendable {
        package var account: AccountName
        package var username: String
        package var email: String
        /// By crypt(5); a secret.
        package var passwordHash: String
        /// When it happened elsewhere, for what was imported; 0: here.
        package var occurredAtMilliseconds: UInt64 = 0
        package var legacyID = ""

        package init(account: AccountName, username: String, email: String, passwordHash: String) {
            self.account = account
            self.username = username
            self.email = email
            self.passwordHash = passwordHash
        }
    }

    /// What a view held at the offset that the header refers to.
    package struct AttestedView: Hashable, Sendable {
        package var name: String
        package var version: UInt32
        package var digest: Digest

        package init(name: String, version: UInt32, digest: Digest) {
            self.name = name
            self.version = version
            self.digest = digest
        }
    }

    /// The version that each type is written in.
    static func currentVersion(of type: EventType) -> UInt8 { type == .userLoggedIn ? 2 : 1 }

    /// The bytes of the newest version.
    package func encode() throws -> [UInt8] {
        switch self {
        case .userRegistered(let user):
            return try Quipu_V1_UserRegisteredPayload.with {
                $0.account = user.account.text
                $0.username = user.username
                $0.email = user.email
                $0.passwordHash = user.passwordHash
                $0.occurredAtMs = user.occurredAtMilliseconds
                $0.legacyID = user.legacyID
            }.serializedBytes()
        case .guestSeen(let account):
            return try Quipu_V1_GuestSeenPayload.with { $0.account = account.text }.serializedBytes()
        case .userLoggedIn(let address, let port):
            return try Quipu_V1_UserLoggedInPayload.with {
                $0.address = address
                $0.port = port
            }.serializedBytes()
        case .loginFailed(let address):
            return try Quipu_V1_LoginFailedPayload.with { $0.address = address }.serializedBytes()
        case .messageSent(let content, let id):
            return MessagePayload.encode(content: Array(content.utf8), id: Array(id.utf8))
        case .messageEdited(let content):
            return try Quipu_V1_MessageEditedPayload.with { $0.content = content }.serializedBytes()
        case .roomCreated(let name):
            return try Quipu_V1_RoomCreatedPayload.with { $0.name = name }.serializedBytes()
        case .payloadRedacted(let reason):
            return try Quipu_V1_PayloadRedactedPayload.with { $0.reason = reason }.serializedBytes()
        case .userErased(let reason):
            return try Quipu_V1_UserErasedPayload.with { $0.reason = reason }.serializedBytes()
        case .viewAttested(let views):
            return try Quipu_V1_ViewAttestedPayload.with { payload in
                payload.views = views.map { view in
                    .with {
                        $0.name = view.name
                        $0.version = view.version
                        $0.digest = Data([UInt8](copying: view.digest.bytes.span))
                    }
                }
            }.serializedBytes()
        case .auditorRead(let request):
            return try Quipu_V1_AuditorReadPayload.with { $0.request = request }.serializedBytes()
        case .empty, .redacted:
            return []
        }
    }
}

extension Record {
    /// The payload, brought up to the newest version by the upcasters.
    ///
    /// - Throws: ``RecordError/unknownVersion(_:_:)`` or ``RecordError/payload(_:)``.
    package func decodePayload() throws(RecordError) -> EventPayload {
        if isRedacted { return .redacted(header.type) }
        guard header.version >= 1, header.version <= EventPayload.currentVersion(of: header.type) else {
            throw .unknownVersion(header.type, header.version)
        }
        let bytes = [UInt8](copying: payload)
        do {
            return try Self.decode(header.type, version: header.version, bytes)
        } catch {
            throw .payload(header.type)
        }
    }

    private static func decode(_ type: EventType, version: UInt8, _ bytes: [UInt8]) throws -> EventPayload {
        switch type {
        case .userRegistered:
            let payload = try Quipu_V1_UserRegisteredPayload(serializedBytes: bytes)
            var user = EventPayload.UserRegistered(
                account: AccountName(trusting: Array(payload.account.utf8)),
                username: payload.username,
                email: payload.email,
                passwordHash: payload.passwordHash
            )
            user.occurredAtMilliseconds = payload.occurredAtMs
            user.legacyID = payload.legacyID
            return .userRegistered(user)
        case .guestSeen:
            let payload = try Quipu_V1_GuestSeenPayload(serializedBytes: bytes)
            return .guestSeen(account: AccountName(trusting: Array(payload.account.utf8)))
        case .userLoggedIn:
            let payload =
                version == 1
                ? Upcaster.userLoggedInFromV1(try Quipu_V1_UserLoggedInPayloadV1(serializedBytes: bytes))
                : try Quipu_V1_UserLoggedInPayload(serializedBytes: bytes)
            return .userLoggedIn(address: payload.address, port: payload.port)
        case .loginFailed:
            return .loginFailed(address: try Quipu_V1_LoginFailedPayload(serializedBytes: bytes).address)
        case .messageSent:
            let payload = try Quipu_V1_MessageSentPayload(serializedBytes: bytes)
            return .messageSent(content: payload.content, id: payload.id)
        case .messageEdited:
            return .messageEdited(content: try Quipu_V1_MessageEditedPayload(serializedBytes: bytes).content)
        case .roomCreated:
            return .roomCreated(name: try Quipu_V1_RoomCreatedPayload(serializedBytes: bytes).name)
        case .payloadRedacted:
            return .payloadRedacted(reason: try Quipu_V1_PayloadRedactedPayload(serializedBytes: bytes).reason)
        case .userErased:
            return .userErased(reason: try Quipu_V1_UserErasedPayload(serializedBytes: bytes).reason)
        case .viewAttested:
            return .viewAttested(try attestedViews(Quipu_V1_ViewAttestedPayload(serializedBytes: bytes)))
        case .auditorRead:
            return .auditorRead(request: try Quipu_V1_AuditorReadPayload(serializedBytes: bytes).request)
        case .messagesRead, .messageDeleted, .memberAdded, .memberRemoved, .ownerChanged:
            return .empty(type)
        }
    }

    private static func attestedViews(_ payload: Quipu_V1_ViewAttestedPayload) throws -> [EventPayload.AttestedView] {
        try payload.views.map { view in
            guard let digest = Digest([UInt8](view.digest).span) else { throw RecordError.payload(.viewAttested) }
            return EventPayload.AttestedView(name: view.name, version: view.version, digest: digest)
        }
    }
}
