import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

/// Messages of the modern era, as clients and upstreams write them.
enum Modern {
    static let capabilities =
        #"{"tools":{},"logging":{},"prompts":{"listChanged":true},"resources":{"subscribe":true}}"#

    /// The result of `server/discover`.
    static func discovered(capabilities: String = "{}") -> String {
        #"{"resultType":"complete","supportedVersions":["2026-07-28","2031-01-01"],"capabilities":\#(capabilities),"#
            + #""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"u","version":"1"}},"ttlMs":10,"cacheScope":"public"}"#
    }

    /// `params._meta`, with further members.
    static func meta(
        version: String = "2026-07-28", capabilities: String = "{}", client: String = "Test Client", _ more: String = ""
    ) -> String {
        #""_meta":{\#(more)"io.modelcontextprotocol/protocolVersion":"\#(version)","#
            + #""io.modelcontextprotocol/clientInfo":{"name":"\#(client)","version":"9"},"#
            + #""io.modelcontextprotocol/clientCapabilities":\#(capabilities)}"#
    }

    static func request(_ method: String, id: String, _ members: String = "", meta: String = meta()) -> String {
        let separator = members.isEmpty ? "" : ","
        return #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(members)\#(separator)\#(meta)}}"#
    }

    static func call(
        id: String, tool: String = "read", token: String? = nil, capabilities: String = "{}", level: String? = nil
    ) -> String {
        let more =
            (token.map { #""progressToken":\#($0),"# } ?? "")
            + (level.map { #""io.modelcontextprotocol/logLevel":"\#($0)","# } ?? "")
        return request(
            "tools/call", id: id, #""name":"\#(tool)","arguments":{}"#, meta: meta(capabilities: capabilities, more))
    }

    static func listen(id: String, _ filter: String = #"{"toolsListChanged":true}"#) -> String {
        request("subscriptions/listen", id: id, #""notifications":\#(filter)"#)
    }
}

extension RouterHarness {
    /// In front of an upstream of the modern era that is ready.
    static func modern(
        tools: ToolAllowlistSettings? = nil, era: UpstreamEra = .auto, capabilities: String = Modern.capabilities,
        _ change: (inout Settings) -> Void = { _ in }
    ) -> RouterHarness {
        let harness = RouterHarness(
            settings(tools: tools) {
                $0.upstream.era = era
                change(&$0)
            })
        harness.startModern(harness.shared, capabilities: capabilities)
        return harness
    }

    func startModern(_ upstream: UpstreamID, capabilities: String = Modern.capabilities) {
        spawn(upstream)
        answer("server/discover", of: upstream, Modern.discovered(capabilities: capabilities))
        if capabilities.contains("tools") { answerTools(["read", "write"], of: upstream) }
    }

    /// An upstream's exec has succeeded.
    func spawn(_ upstream: UpstreamID) {
        router.upstreamStarted(upstream, pid: 42, program: "true", restart: 0, at: now)
        perform()
    }

    func exit(_ upstream: UpstreamID) {
        router.upstreamExited(upstream, pid: 42, program: "true", restart: 0, status: "exit 1", at: now)
        perform()
    }

    /// Answers the last forwarded request of a method with `"result":…` or `"error":…`.
    func reply(to method: String, of upstream: UpstreamID, _ member: String) {
        guard let id = lastID(of: method, at: upstream) else {
            Issue.record("no \(method) was forwarded")
            return
        }
        receive(#"{"jsonrpc":"2.0","id":\#(id),\#(member)}"#, from: upstream)
    }

    var starts: [UpstreamID] {
        others.compactMap { if case .start(let id, _) = $0 { id } else { nil } }
    }

    var stops: [UpstreamID] {
        others.compactMap { if case .stop(let id) = $0 { id } else { nil } }
    }

    var logs: [String] {
        others.compactMap { if case .log(let note) = $0 { note.text } else { nil } }
    }

    func count(of method: String, at upstream: UpstreamID) -> Int {
        forwarded[upstream]?.count { Text.member("method", $0) == "\"\(method)\"" } ?? 0
    }
}
