import GatewayConfiguration
import Testing

@testable import HTTPDoor

@Suite("What pages in browsers need")
struct PagesTests {
    private static func head(_ origin: String?, method: String = "OPTIONS", path: String = "/mcp") -> RequestHead {
        var fields = [(name: "Host", value: "localhost:8080"), (name: "Access-Control-Request-Method", value: "POST")]
        if let origin { fields.append((name: "Origin", value: origin)) }
        return RequestHead(method: method, target: path, fields: fields)
    }

    private static let rules = HTTPRulesTests.rules {
        $0.allowedOrigins = ["https://app.example"]
        $0.tokens = [:]
    }

    @Test(
        "a preflight of an allowed page is answered without a token",
        arguments: ["https://app.example", "http://localhost:8080"])
    func preflight(_ origin: String) throws {
        let fields = try #require(Self.rules.preflight(Self.head(origin))).get()
        let names = try #require(fields.first { $0.name == "Access-Control-Allow-Headers" }).value.lowercased()
        for name in ["mcp-session-id", "mcp-protocol-version", "last-event-id", "authorization", "content-type"] {
            #expect(names.contains(name))
        }
        #expect(fields.contains { $0.name == "Access-Control-Allow-Methods" && $0.value == "POST, GET, DELETE" })
    }

    @Test("a preflight of a foreign page, or for another path, is refused")
    func refused() throws {
        for (head, reason) in [
            (Self.head("https://evil.example"), "foreign_origin"), (Self.head("null"), "foreign_origin"),
            (Self.head("https://app.example", path: "/other"), "unknown_path"),
        ] {
            let answer = try #require(Self.rules.preflight(head))
            let refusal = #expect(throws: HTTPRefusal.self) { try answer.get() }
            #expect(refusal?.reason == reason)
        }
    }

    @Test("what is no preflight is for the other rules")
    func others() {
        #expect(Self.rules.preflight(Self.head(nil)) == nil)
        #expect(Self.rules.preflight(Self.head("https://app.example", method: "POST")) == nil)
    }

    @Test("an answer is readable for the page that asked, by name, and for no other")
    func readable() {
        let fields = Self.rules.readable(Self.head("https://app.example", method: "POST"))
        #expect(fields.first { $0.name == "Access-Control-Allow-Origin" }?.value == "https://app.example")
        #expect(fields.first { $0.name == "Access-Control-Expose-Headers" }?.value.contains("Mcp-Session-Id") == true)
        #expect(fields.contains { $0.name == "Vary" && $0.value == "Origin" })
        #expect(Self.rules.readable(Self.head("https://evil.example", method: "POST")).isEmpty)
        #expect(Self.rules.readable(Self.head(nil, method: "POST")).isEmpty)
    }
}
