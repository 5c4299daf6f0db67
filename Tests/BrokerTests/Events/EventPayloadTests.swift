import Foundation
import LMDB
import SwiftProtobuf
import Testing

@testable import Broker

/// Payloads there and back, and old versions brought up to the newest.
@Suite struct EventPayloadTests {
    @Test func `every payload survives encoding and decoding`() throws {
        let payloads = try Sample.payloads()
        #expect(Set(payloads.map(\.type)) == Set(EventType.allCases))
        for payload in payloads {
            let stored = EventHeader.sample(payload.type).record(payload: try payload.encode())
            let decoded = try Record(stored.span, at: 5).decodePayload()
            #expect(decoded == payload)
        }
    }

    @Test(arguments: EventType.allCases)
    func `a type is found by its name in any case`(type: EventType) throws {
        #expect(EventType(name: type.name) == type)
        #expect(EventType(name: type.name.lowercased()) == type)
        #expect(EventType(name: type.name + "s") == nil)
        #expect(type.name.first?.isUppercase == true)
    }

    @Test func `the numbers in the log never change`() {
        let types: [(EventType, UInt8, String)] = [
            (.userRegistered, 1, "UserRegistered"), (.guestSeen, 2, "GuestSeen"), (.userLoggedIn, 3, "UserLoggedIn"),
            (.loginFailed, 4, "LoginFailed"), (.messageSent, 5, "MessageSent"), (.messagesRead, 6, "MessagesRead"),
            (.messageEdited, 7, "MessageEdited"), (.messageDeleted, 8, "MessageDeleted"),
            (.roomCreated, 9, "RoomCreated"), (.memberAdded, 10, "MemberAdded"), (.memberRemoved, 11, "MemberRemoved"),
            (.ownerChanged, 12, "OwnerChanged"), (.payloadRedacted, 13, "PayloadRedacted"),
            (.userErased, 14, "UserErased"), (.viewAttested, 15, "ViewAttested"), (.auditorRead, 16, "AuditorRead"),
        ]
        #expect(types.count == EventType.allCases.count)
        for (type, number, name) in types {
            #expect(type.rawValue == number)
            #expect(type.name == name)
        }
        let classes: [PayloadClass] = [.empty, .content, .personal, .credential]
        #expect(classes.map(\.rawValue) == [0, 1, 2, 3])
    }

    @Test(arguments: [0, 31, 33]) func `an attestation whose digest has no 32 bytes can't be read`(count: Int) throws {
        var payload = Quipu_V1_ViewAttestedPayload()
        payload.views = [.with { $0.digest = Data(repeating: 1, count: count) }]
        let bytes: [UInt8] = try payload.serializedBytes()
        #expect(refusal(of: EventHeader.sample(.viewAttested).record(payload: bytes)) == .payload(.viewAttested))
    }

    @Test(
        arguments: [
            ("192.0.2.1:50123", "192.0.2.1", 50_123),
            ("[2001:db8::1]:50123", "2001:db8::1", 50_123),
            ("[2001:db8::1]", "2001:db8::1", 0),
            ("2001:db8::1", "2001:db8::1", 0),
            ("::1", "::1", 0),
            ("192.0.2.1", "192.0.2.1", 0),
            ("192.0.2.1:", "192.0.2.1", 0),
            ("192.0.2.1:http", "192.0.2.1", 0),
            ("192.0.2.1:99999999999", "192.0.2.1", 0),
            ("localhost:1", "localhost", 1),
            ("[", "[", 0),
            ("[]", "", 0),
            ("[:", "[", 0),
            (":", "", 0),
            ("", "", 0),
        ] as [(String, String, UInt32)]
    )
    func `a login of version 1 has its address and port taken apart`(
        remote: String,
        address: String,
        port: UInt32
    ) throws {
        let old = try Quipu_V1_UserLoggedInPayloadV1.with { $0.remote = remote }.serializedBytes() as [UInt8]
        let stored = EventHeader.sample(.userLoggedIn, version: 1, payloadClass: .personal).record(payload: old)
        let decoded = try Record(stored.span, at: 1).decodePayload()
        #expect(decoded == .userLoggedIn(address: address, port: port))
    }

    @Test func `a login is written in version 2`() throws {
        #expect(EventPayload.currentVersion(of: .userLoggedIn) == 2)
        let bytes = try EventPayload.userLoggedIn(address: "::1", port: 300).encode()
        #expect(bytes == [0x0a, 3] + Array("::1".utf8) + [0x10, 0xac, 0x02])
    }
}
