import Testing

@testable import Cryptography

/// bcrypt against hashes that other implementations made, and what it must refuse; cost 4 keeps it quick.
@Suite struct PasswordTests {
    @Test(arguments: ["x", "correct horse battery staple", "密碼 🔑", String(repeating: "z", count: 72)])
    func `a password fits the hash that was made of it and no other`(password: String) throws {
        let bytes = Array(password.utf8)
        let hash = try Password.hash(bytes, cost: 4)
        #expect(hash.hasPrefix("$2b$04$"))
        #expect(hash.utf8.count == 60)
        #expect(Password.verify(bytes, against: hash))

        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            #expect(!Password.verify(other, against: hash), "differs at byte \(index)")
        }
        #expect(!Password.verify(bytes.dropLast(), against: hash))
        #expect(!Password.verify(bytes + [0x20], against: hash))
    }

    @Test func `the same password twice gives two hashes`() throws {
        let password = Array("same".utf8)
        let first = try Password.hash(password, cost: 4)
        let second = try Password.hash(password, cost: 4)
        #expect(first != second)
        #expect(Password.verify(password, against: first))
        #expect(Password.verify(password, against: second))
    }

    /// From the test files of Openwall's crypt_blowfish 1.3 and of Go's golang.org/x/crypto/bcrypt.
    @Test(arguments: [
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
        ("allmine", "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga"),
    ])
    func `hashes of other implementations are understood`(password: String, hash: String) {
        #expect(Password.verify(Array(password.utf8), against: hash))
        #expect(!Password.verify(Array((password + "!").utf8), against: hash))
    }

    @Test func `a password of 72 bytes is taken and one of 73 is not`() throws {
        let longest = [UInt8](repeating: 0x61, count: 72)
        let hash = try Password.hash(longest, cost: 4)
        #expect(throws: PasswordError.tooLong(bytes: 73)) { try Password.hash(longest + [0x62], cost: 4) }
        // bcrypt alone would look at the first 72 and say yes.
        #expect(!Password.verify(longest + [0x62], against: hash))
    }

    @Test(arguments: [[0], [0x61, 0], [0, 0x61], [0x61, 0, 0x62]] as [[UInt8]])
    func `a password with a NUL is refused`(password: [UInt8]) throws {
        #expect(throws: PasswordError.containsNUL) { try Password.hash(password, cost: 4) }
        let hashOfStart = try Password.hash(Array(password.prefix { $0 != 0 }), cost: 4)
        #expect(!Password.verify(password, against: hashOfStart))
    }

    @Test(arguments: [-1, 0, 3, 32, 99])
    func `a cost that bcrypt hasn't is refused`(cost: Int) {
        #expect(throws: PasswordError.costOutOfRange(cost)) { try Password.hash([0x61], cost: cost) }
    }

    @Test(arguments: [
        "",
        "x",
        "*0",
        "$2b$04$",
        "$2b$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2z$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$5$rounds=1000$CCCCCCCCCCCCCCCC$CCCCCCCCCCCCCCCCCCCCCCCCCCCCC",
    ])
    func `nothing fits a hash that isn't bcrypt's`(hash: String) {
        #expect(!Password.verify(Array("password".utf8), against: hash))
        #expect(!Password.verify([], against: hash))
    }
}
