import GatewayConfiguration
import Testing

@testable import HTTPDoor

@Suite("AdmissionMemory")
struct AdmissionMemoryTests {
    private func word(_ verdict: Result<HTTPIdentity, HTTPRefusal>) -> String? {
        switch verdict {
        case .success(let identity): identity.name
        case .failure(let refusal): refusal.reason
        }
    }

    @Test("says what the rules say, whatever came before on the connection")
    func agrees() {
        let cases =
            HTTPRulesTests.hosts + HTTPRulesTests.origins + HTTPRulesTests.targets + HTTPRulesTests.contents
            + HTTPRulesTests.accepts + HTTPRulesTests.others
        let rules = HTTPRulesTests.rules()
        var memory = AdmissionMemory()
        // Every case after a good one and after itself.
        for item in cases {
            for head in [HTTPRulesTests.Case().head, item.head, item.head] {
                #expect(word(memory.admit(head, by: rules)) == word(rules.admit(head)))
            }
        }
    }

    @Test("a good head lets nobody in without the token, and tells owners apart")
    func tokens() {
        let rules = HTTPRulesTests.rules { $0.tokens = BearerTokensTests.both }
        func head(_ token: String) -> RequestHead { HTTPRulesTests.Case([("Authorization", token)]).head }
        var memory = AdmissionMemory()
        let words = ["Bearer alice-token", "Bearer bob-token", "Bearer x", "", "Bearer alice-token"].map {
            word(memory.admit(head($0), by: rules))
        }
        #expect(words == ["alice", "bob", "wrong_token", "no_token", "alice"])
    }
}
