import GatewayConfiguration
import Testing

@testable import HTTPDoor

@Suite("HTTPRules")
struct HTTPRulesTests {
    /// A request, and the reason for which it is refused; nil when it is let in.
    struct Case: Sendable, CustomTestStringConvertible {
        var method = "POST"
        var target = "/mcp"
        /// Besides those of a good request; an empty value takes one away.
        var fields: [(String, String)] = []
        var reason: String?
        var status: HTTPStatus?
        var testDescription: String { "\(method) \(target) \(fields)" }

        init(
            _ fields: [(String, String)] = [], _ reason: String? = nil, _ status: HTTPStatus? = nil,
            method: String = "POST", target: String = "/mcp"
        ) {
            self.method = method
            self.target = target
            self.fields = fields
            self.reason = reason
            self.status = status
        }

        var head: RequestHead {
            var all = [
                ("Host", "localhost:8080"), ("Content-Type", "application/json"),
                ("Accept", "application/json, text/event-stream"),
            ]
            for (name, value) in fields {
                // A lower-case name comes besides, any other instead.
                if name != name.lowercased() { all.removeAll { $0.0 == name } }
                if !value.isEmpty { all.append((name, value)) }
            }
            return RequestHead(method: method, target: target, fields: all.map { (name: $0.0, value: $0.1) })
        }
    }

    static let versions: Set<String> = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]

    static func rules(
        port: Int = 8080, address: String = "127.0.0.1", _ change: (inout HTTPDoorSettings) -> Void = { _ in }
    ) -> HTTPRules {
        var settings = HTTPDoorSettings()
        change(&settings)
        return HTTPRules(settings, address: address, port: port, protocolVersions: versions)
    }

    private func expect(_ item: Case, _ rules: HTTPRules) {
        switch rules.admit(item.head) {
        case .success: #expect(item.reason == nil)
        case .failure(let refusal):
            #expect(refusal.reason == item.reason)
            if let status = item.status { #expect(refusal.status == status) }
        }
    }

    static let hosts = [
        Case(), Case([("Host", "LOCALHOST:8080")]), Case([("Host", "127.0.0.1:8080")]), Case([("Host", "[::1]:8080")]),
        Case([("Host", "[0:0::1]:8080")]), Case([("Host", "192.0.2.1:8080")]), Case([("Host", "gw.example")]),
        Case([("Host", "GW.example:443")]), Case([("Host", "one.example:9000")]),
        Case([("Host", "one.example")], "foreign_host"), Case([("Host", "one.example:9001")], "foreign_host"),
        Case([("Host", "localhost")], "foreign_host", .forbidden), Case([("Host", "localhost:80")], "foreign_host"),
        Case([("Host", "evil.example:8080")], "foreign_host"), Case([("Host", "localhost.:8080")], "foreign_host"),
        Case([("Host", "0.0.0.0:8080")], "foreign_host"), Case([("Host", "127.0.0.2:8080")], "foreign_host"),
        Case([("Host", "localhost.evil.example:8080")], "foreign_host"),
        Case([("Host", "")], "bad_host", .badRequest), Case([("host", "localhost:8080")], "bad_host"),
        Case([("Host", "u@localhost:8080")], "bad_host"), Case([("Host", "localhost:8080/x")], "bad_host"),
        Case([("Host", "localhost:8080, evil.example")], "bad_host"), Case([("Host", "localhost:99999")], "bad_host"),
    ]

    @Test("the door's own names and the allowed ones are served, with the right port", arguments: hosts)
    func checkHosts(_ item: Case) {
        expect(
            item,
            Self.rules(address: "192.0.2.1") {
                $0.host = "0.0.0.0"
                $0.allowedHosts = ["gw.example", "One.Example:9000"]
            })
    }

    @Test("a scheme's own port may be left away", arguments: [(80, false), (443, true)])
    func defaultPort(_ port: Int, _ isTLS: Bool) {
        let rules = Self.rules(port: port) {
            guard isTLS else { return }
            $0.tls = TLSFiles(certificatePath: "", keyPath: "", certificate: [], key: SecretBytes([]))
        }
        expect(Case([("Host", "localhost")]), rules)
        expect(Case([("Host", "localhost:\(port)")]), rules)
        expect(Case([("Host", "localhost:8080")], "foreign_host"), rules)
    }

    static let origins = [
        Case([("Origin", "http://localhost:8080")]), Case([("Origin", "HTTP://LocalHost:8080")]),
        Case([("Origin", "https://localhost:8080")]), Case([("Origin", "https://app.example")]),
        Case([("Origin", "https://app.example:443")]), Case([("Origin", "vscode-webview://abc")]),
        Case([("Origin", "https://app.example:444")], "foreign_origin", .forbidden),
        Case([("Origin", "http://app.example")], "foreign_origin"), Case([("Origin", "null")], "foreign_origin"),
        Case([("Origin", "http://localhost")], "foreign_origin"),
        Case([("Origin", "http://localhost:3000")], "foreign_origin"),
        Case([("Origin", "http://127.0.0.1:8080")]), Case([("Origin", "http://127.0.0.1:8081")], "foreign_origin"),
        Case([("Origin", "*")], "foreign_origin"),
        Case([("Origin", "https://app.example/")], "foreign_origin"), Case([("Origin", " ")], "foreign_origin"),
        Case([("Origin", "https://app.example"), ("origin", "https://app.example")], "doubled_header", .badRequest),
    ]

    @Test("a page is let in from its own host or an allowed origin", arguments: origins)
    func checkOrigins(_ item: Case) {
        expect(item, Self.rules { $0.allowedOrigins = ["https://App.example", "vscode-webview://abc"] })
    }

    @Test("the opaque origin is let in only when it is listed")
    func opaque() {
        expect(Case([("Origin", "null")]), Self.rules { $0.allowedOrigins = ["null"] })
    }

    static let targets = [
        Case(target: "/mcp"), Case(target: "/mcp?x=/y"),
        Case([], "unknown_path", .notFound, target: "/"), Case([], "unknown_path", target: "/mcp/"),
        Case([], "unknown_path", target: "/MCP"), Case([], "unknown_path", target: "/m%63p"),
        Case([], "unknown_path", target: "*"), Case([], "unknown_path", target: "http://localhost:8080/mcp"),
        Case([], "unknown_path", target: ""), Case(method: "GET"), Case(method: "DELETE"),
        Case([], "wrong_method", .methodNotAllowed, method: "PUT"), Case([], "wrong_method", method: "OPTIONS"),
        Case([], "wrong_method", method: "post"), Case([], "wrong_method", method: "HEAD"),
    ]

    @Test("only the endpoint and its methods are there", arguments: targets)
    func checkTargets(_ item: Case) {
        expect(item, Self.rules())
    }

    static let contents = [
        Case([("Content-Type", "Application/JSON; charset=UTF-8")]), Case([("Content-Type", "application/json;x=y")]),
        Case([("Content-Type", "application/json; charset=\"utf-8\"")]),
        Case([("Content-Encoding", "identity")]),
        Case([("Content-Type", "")], "wrong_content_type", .unsupportedMediaType),
        Case([("Content-Type", "text/plain")], "wrong_content_type"),
        Case([("Content-Type", "application/jsonx")], "wrong_content_type"),
        Case([("Content-Type", "application/json, text/plain")], "wrong_content_type"),
        Case([("Content-Type", "application/json; charset=latin1")], "wrong_content_type"),
        Case([("content-type", "application/json")], "doubled_header"),
        Case([("Content-Encoding", "gzip")], "wrong_content_encoding", .unsupportedMediaType),
        Case([("Content-Type", "")], method: "GET"), Case([("Content-Type", "")], method: "DELETE"),
    ]

    @Test("a body is JSON in UTF-8", arguments: contents)
    func checkContents(_ item: Case) {
        expect(item, Self.rules())
    }

    static let accepts = [
        Case([("Accept", "*/*")]), Case([("Accept", "application/*, text/*")]),
        Case([("Accept", "Application/JSON;q=0.5,text/event-stream;q=0.001")]),
        Case([("Accept", "application/json"), ("accept", "text/event-stream")]),
        Case([("Accept", "")], "not_acceptable", .notAcceptable),
        Case([("Accept", "application/json")], "not_acceptable"),
        Case([("Accept", "text/event-stream")], "not_acceptable"),
        Case([("Accept", "*/*, text/event-stream;q=0")], "not_acceptable"),
        Case([("Accept", "application/json;q=0.0, */*")], "not_acceptable"),
        Case([("Accept", "*/*;q=0")], "not_acceptable"), Case([("Accept", "*")], "not_acceptable"),
        Case([("Accept", "text/event-stream")], method: "GET"), Case([("Accept", "text/*;q=1.0")], method: "GET"),
        Case([("Accept", "application/json")], "not_acceptable", method: "GET"),
        Case([("Accept", "")], method: "DELETE"),
    ]

    @Test("both types of an answer have to be acceptable", arguments: accepts)
    func checkAccepts(_ item: Case) {
        expect(item, Self.rules())
    }

    static let others = [
        Case([("MCP-Protocol-Version", "2025-06-18")]), Case([("mcp-protocol-version", "2024-11-05")]),
        Case([("MCP-Protocol-Version", "2099-01-01")], "unknown_protocol_version", .badRequest),
        Case([("MCP-Protocol-Version", "2025-06-18 ")], "unknown_protocol_version"),
        Case([("a", "1"), ("a", "2")]),
        Case([("authorization", "Bearer a"), ("authorization", "Bearer b")], "doubled_header", .badRequest),
        Case([("mcp-session-id", "a"), ("mcp-session-id", "a")], "doubled_header"),
        Case([("last-event-id", "a"), ("last-event-id", "a")], "doubled_header"),
        Case([("mcp-protocol-version", "2025-06-18"), ("mcp-protocol-version", "2025-06-18")], "doubled_header"),
        Case([("content-length", "1"), ("content-length", "1")], "doubled_header"),
        Case([("content-length", "1"), ("transfer-encoding", "chunked")], "ambiguous_length", .badRequest),
        Case([("content-length", "1")]), Case([("transfer-encoding", "chunked")]),
    ]

    @Test("revisions are known ones, and what decides something comes once", arguments: others)
    func checkOthers(_ item: Case) {
        expect(item, Self.rules())
    }

    @Test("the first check that fails decides, in the order of the rules")
    func order() {
        var fields = [
            ("mcp-session-id", "a"), ("mcp-session-id", "b"), ("Host", "evil.example"), ("Origin", "null"),
            ("MCP-Protocol-Version", "x"), ("Accept", ""), ("Content-Type", ""),
        ]
        var item = Case(fields, method: "PUT", target: "/x")
        let rules = Self.rules { $0.tokens = [:] }
        var reasons: [String] = []
        func look() {
            if case .failure(let refusal) = rules.admit(item.head) { reasons.append(refusal.reason ?? "") }
        }
        look()
        fields.removeFirst()
        item.fields = fields
        look()
        item.fields.removeAll { $0.0 == "Host" }
        look()
        item.fields.removeAll { $0.0 == "Origin" }
        look()
        item.target = "/mcp"
        look()
        #expect(reasons == ["doubled_header", "foreign_host", "foreign_origin", "unknown_path", "no_token"])
    }

    @Test("what a stranger sent is never part of the answer, and only the start of it is recorded")
    func noEcho() throws {
        let long = String(repeating: "x", count: 200)
        for fields in [
            [("Host", "\(long).example")], [("Origin", "http://\(long)")], [("MCP-Protocol-Version", long)],
            [("Accept", long)], [("Content-Type", long)], [("Content-Encoding", long)],
        ] {
            guard case .failure(let refusal) = Self.rules().admit(Case(fields).head) else {
                Issue.record("\(fields) was let in")
                continue
            }
            #expect(!refusal.message.contains("xxx"))
            #expect(try #require(refusal.detail).utf8.count <= 100)
        }
    }
}
