import GatewayConfiguration
import Testing

@testable import HTTPDoor

@Suite("BearerTokens")
struct BearerTokensTests {
    static let alice = TokenDigest(of: "alice-token".utf8)
    static let bob = TokenDigest(of: "bob-token".utf8)
    static let both = ["alice": alice, "bob": bob]
    static let tokens = BearerTokens(both)

    @Test(
        "a known token tells its name, everything else is 401 with how to ask",
        arguments: [
            ("Bearer alice-token", "alice", nil), ("bearer bob-token", "bob", nil), ("BEARER   bob-token ", "bob", nil),
            (nil, nil, "no_token"), ("", nil, "no_token"), ("Bearer", nil, "no_token"), ("Bearer ", nil, "no_token"),
            ("Basic YTpi", nil, "no_token"), ("alice-token", nil, "no_token"),
            ("Bearer alice-toke", nil, "wrong_token"),
            ("Bearer alice-token2", nil, "wrong_token"), ("Bearer ALICE-TOKEN", nil, "wrong_token"),
            ("Bearer alice", nil, "wrong_token"), ("Bearer alice-token bob-token", nil, "wrong_token"),
            (
                "Bearer 5a85de8a2d4e8bd8e2ee8e1e5f6d6bb2f0e4e1a2b3c4d5e6f708192a3b4c5d6e", nil, "wrong_token"
            ),
        ] as [(String?, String?, String?)])
    func check(_ authorization: String?, _ name: String?, _ reason: String?) {
        switch Self.tokens.check(authorization) {
        case .success(let identity):
            #expect(identity.name == name && reason == nil)
        case .failure(let refusal):
            #expect(refusal.reason == reason && refusal.status == .unauthorized && refusal.detail == nil)
            #expect(refusal.headers.map(\.name) == ["WWW-Authenticate"])
            #expect(refusal.headers.first?.value.hasPrefix("Bearer realm=") == true)
            #expect(refusal.headers.first?.value.contains("invalid_token") == (reason == "wrong_token"))
        }
    }

    @Test("the digest in the file is no token itself")
    func digestIsNoToken() {
        // SHA-256 of `alice-token`.
        let hex = "9c220f200955d76c0a38d308225e0ef10c5f971acaf2f8d1d8f732affa5bd1dc"
        #expect(TokenDigest(hex: hex) == Self.alice)
        if case .success = Self.tokens.check("Bearer \(hex)") { Issue.record("a digest was let in") }
    }

    @Test("without any token nobody is let in")
    func empty() {
        if case .success = BearerTokens([:]).check("Bearer x") { Issue.record("somebody was let in") }
    }

    @Test("a session goes on while its owner's token is there, and not under another token of that name")
    func reload() throws {
        let owner = try Self.tokens.check("Bearer alice-token").get()
        func rules(_ tokens: [String: TokenDigest]?) -> HTTPRules {
            HTTPRulesTests.rules { $0.tokens = tokens }
        }
        #expect(rules(["alice": Self.alice]).admitsStill(owner))
        #expect(!rules(["bob": Self.bob]).admitsStill(owner))
        #expect(!rules(["alice": Self.bob]).admitsStill(owner))
        #expect(!rules(nil).admitsStill(owner))
        #expect(rules(nil).admitsStill(HTTPIdentity()))
        #expect(!rules([:]).admitsStill(HTTPIdentity()))
    }
}
