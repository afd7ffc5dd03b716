internal import GatewayConfiguration

/// The bearer tokens of a door (RFC 6750). A token is compared by its digest with every entry, whichever it matches.
struct BearerTokens: Sendable {
    private let identities: [HTTPIdentity]
    private let digests: [TokenDigest]

    /// Takes ``GatewayConfiguration/HTTPDoorSettings/tokens``.
    init(_ tokens: [String: TokenDigest]) {
        let sorted = tokens.sorted { $0.key < $1.key }
        identities = sorted.map { HTTPIdentity(name: $0.key, digest: $0.value) }
        digests = sorted.map(\.value)
    }

    /// Whose token an Authorization field holds.
    func check(_ authorization: String?) -> Result<HTTPIdentity, HTTPRefusal> {
        guard let authorization, let token = Self.token(authorization) else { return .failure(Self.noToken) }
        let digest = TokenDigest(of: token.utf8)
        var found: Int?
        // No early end: how long it takes must not tell where a digest stands, or whether there is one.
        for index in digests.indices where digests[index].matches(digest) { found = index }
        return found.map { .success(identities[$0]) } ?? .failure(Self.wrongToken)
    }

    /// Whether a session's owner still has its token: asked of every session when the tokens have been read again.
    func holds(_ identity: HTTPIdentity) -> Bool {
        identities.contains(identity)
    }

    /// nil for another scheme, which counts as no token.
    private static func token(_ authorization: String) -> Substring? {
        let scheme = "bearer "
        guard authorization.utf8.count > scheme.utf8.count,
            authorization.prefix(scheme.count).lowercased() == scheme
        else { return nil }
        let token = MediaRanges.trimmed(authorization.dropFirst(scheme.count))
        return token.isEmpty ? nil : token
    }

    private static let noToken = HTTPRefusal(
        status: .unauthorized, code: -32000, message: "a bearer token is needed: Authorization: Bearer TOKEN",
        headers: [("WWW-Authenticate", "Bearer realm=\"gatekit\"")], reason: "no_token")

    private static let wrongToken = HTTPRefusal(
        status: .unauthorized, code: -32000, message: "the bearer token is not known here",
        headers: [("WWW-Authenticate", "Bearer realm=\"gatekit\", error=\"invalid_token\"")], reason: "wrong_token")
}
