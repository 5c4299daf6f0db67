package import Cryptography

/// What signs notes: a name and a private key.
///
/// As text: `PRIVATE+KEY+name+id+key`, the form that Go's `note` package writes.
package struct SigningKey: Sendable {
    /// What verifies the signatures of this key; may be published.
    package let verifierKey: VerifierKey
    private let privateKey: Ed25519.PrivateKey

    package init(name: NoteKeyName, privateKey: Ed25519.PrivateKey) {
        verifierKey = VerifierKey(name: name, publicKey: privateKey.publicKey)
        self.privateKey = privateKey
    }

    /// Reads a key as ``secretText`` writes it.
    ///
    /// - Throws: ``NoteKeyError``.
    package init(secretText text: String) throws(NoteKeyError) {
        let utf8 = Array(text.utf8)
        guard utf8.starts(with: Self.prefix.utf8) else { throw .parts }
        let (name, id, material) = try VerifierKey.parts(Array(utf8.dropFirst(Self.prefix.utf8.count)))
        guard let algorithm = material.first else { throw .key }
        guard algorithm == VerifierKey.Algorithm.ed25519.rawValue else { throw .unknownAlgorithm(algorithm) }
        guard let privateKey = Ed25519.PrivateKey(seed: material.span.extracting(droppingFirst: 1)) else { throw .key }
        self.init(name: name, privateKey: privateKey)
        guard id == verifierKey.id else { throw .idMismatch }
    }

    /// The key with its secret: for a file that only its owner may read.
    package var secretText: String {
        let material = [VerifierKey.Algorithm.ed25519.rawValue] + privateKey.seed
        return Self.prefix + VerifierKey.text(name: verifierKey.name, id: verifierKey.id, material: material)
    }

    /// The signature of a note's text.
    package func sign(_ text: [UInt8]) -> NoteSignature {
        NoteSignature(name: verifierKey.name, id: verifierKey.id, bytes: privateKey.sign(text.span))
    }

    private static let prefix = "PRIVATE+KEY+"
}
