/// Why a token isn't one of ours, or is one no longer; its text goes to the client.
enum TokenError: Error, Hashable, CustomStringConvertible {
    case missing, malformed, wrongAlgorithm, wrongSignature, wrongIssuer, notYetValid, expired

    var description: String {
        switch self {
        case .missing: "token is missing"
        case .malformed: "token is malformed"
        case .wrongAlgorithm: "signature algorithm is not HS256"
        case .wrongSignature: "signature is invalid"
        case .wrongIssuer: "token has another issuer"
        case .notYetValid: "token is not valid yet"
        case .expired: "token is expired"
        }
    }
}
