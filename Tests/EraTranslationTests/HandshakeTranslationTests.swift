import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("HandshakeTranslation")
struct HandshakeTranslationTests {
    private static let fallback = ByteBuffer(string: #"{"name":"upstream","version":"0"}"#)

    @Test(
        "makes a discover result of an initialize result",
        arguments: [
            (
                #"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"s","version":"1"}}"#,
                #""capabilities":{"tools":{"listChanged":true}},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}"#
            ),
            (
                #"{"capabilities": {"tasks":{"list":{}},"logging":{},"x":1.0} ,"instructions":"say \"é\"","future":[1]}"#,
                #""capabilities": {"logging":{},"x":1.0},"instructions":"say \"é\"","future":[1]"#
            ),
            (
                #"{"_meta":{"a":1,"io.modelcontextprotocol/serverInfo":"x"},"serverInfo":{},"capabilities":{}}"#,
                #""capabilities":{},"_meta":{"io.modelcontextprotocol/serverInfo":{},"a":1}"#
            ),
            (
                #"{"resultType":"x","ttlMs":7,"cacheScope":"public","supportedVersions":[],"capabilities":{},"serverInfo":7}"#,
                #""capabilities":{}"#
            ),
        ])
    func discovering(result: String, middle: String) throws {
        let discover = try HandshakeTranslation.discoverResult(
            fromInitialize: buffer(result), supportedVersions: ["2026-07-28"])
        #expect(
            String(buffer: discover)
                == #"{"resultType":"complete","supportedVersions":["2026-07-28"],\#(middle),"ttlMs":0,"cacheScope":"private"}"#
        )
        #expect(HandshakeTranslation.supports("2026-07-28", discoverResult: discover))
        #expect(!HandshakeTranslation.supports("2025-11-25", discoverResult: discover))
    }

    @Test(
        "makes an initialize result of a discover result",
        arguments: [
            (
                #"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}},"instructions":"i","ttlMs":1,"cacheScope":"public"}"#,
                #""capabilities":{"tools":{}},"instructions":"i","serverInfo":{"name":"s","version":"1"}"#
            ),
            (
                #"{"capabilities":{"extensions":{"io.modelcontextprotocol/tasks":{},"a/b": {}}},"x":1e2}"#,
                #""capabilities":{"extensions":{"a/b": {}}},"x":1e2,"serverInfo":{"name":"upstream","version":"0"}"#
            ),
            // A name without a version is none for a legacy client.
            (
                #"{"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"},"k":"v"},"capabilities":{},"protocolVersion":"x","serverInfo":1}"#,
                #""capabilities":{},"serverInfo":{"name":"upstream","version":"0"},"_meta":{"k":"v"}"#
            ),
        ])
    func initializing(result: String, rest: String) throws {
        let initialize = try HandshakeTranslation.initializeResult(
            fromDiscover: buffer(result), version: "2025-06-18", fallbackServerInfo: Self.fallback)
        #expect(String(buffer: initialize) == #"{"protocolVersion":"2025-06-18",\#(rest)}"#)
    }

    @Test("refuses an answer without capabilities", arguments: ["{}", "[]", "null", #"{"capabilities":[]}"#])
    func malformed(result: String) throws {
        let discovering = try failure {
            try HandshakeTranslation.discoverResult(fromInitialize: buffer(result), supportedVersions: [])
        }
        let initializing = try failure {
            try HandshakeTranslation.initializeResult(
                fromDiscover: buffer(result), version: "2025-11-25", fallbackServerInfo: Self.fallback)
        }
        #expect(discovering.code == -32603)
        #expect(initializing.code == -32603)
    }

    @Test(
        "drops from capabilities what the other era does not have, and nothing else",
        arguments: [
            (
                #"{"roots":{"listChanged":true,"x":1},"tasks":{},"sampling":{"tools":{}},"z":null}"#,
                #"{"roots":{"x":1},"sampling":{"tools":{}},"z":null}"#,
                #"{"roots":{"listChanged":true,"x":1},"tasks":{},"sampling":{"tools":{}},"z":null}"#
            ),
            (
                #"{"roots":true,"extensions":{"io.modelcontextprotocol/ui":{"a":[1]},"io.modelcontextprotocol/tasks":{}}}"#,
                #"{"roots":true,"extensions":{"io.modelcontextprotocol/ui":{"a":[1]},"io.modelcontextprotocol/tasks":{}}}"#,
                #"{"roots":true,"extensions":{"io.modelcontextprotocol/ui":{"a":[1]}}}"#
            ),
            ("{}", "{}", "{}"), ("7", "{}", "{}"),
        ])
    func capabilities(source: String, modern: String, legacy: String) {
        #expect(String(buffer: CapabilityTranslation.clientToModern(buffer(source))) == modern)
        #expect(String(buffer: CapabilityTranslation.clientToLegacy(buffer(source))) == legacy)
        #expect(String(buffer: CapabilityTranslation.serverToLegacy(buffer(source))) == legacy)
    }

    @Test("hides the tasks of 2025-11-25 from modern clients")
    func tasks() {
        let source = buffer(#"{"tasks":{"list":{}},"resources":{"subscribe":true}}"#)
        #expect(String(buffer: CapabilityTranslation.serverToModern(source)) == #"{"resources":{"subscribe":true}}"#)
    }

    @Test("knows which methods one era lacks")
    func methods() {
        for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
            #expect(ModernProtocol.isLegacyOnly(method) && !ModernProtocol.isModernOnly(method))
        }
        for method in ["server/discover", "subscriptions/listen"] {
            #expect(ModernProtocol.isModernOnly(method) && !ModernProtocol.isLegacyOnly(method))
        }
        for method in ["tools/call", "completion/complete", "x/y"] {
            #expect(!ModernProtocol.isModernOnly(method) && !ModernProtocol.isLegacyOnly(method))
        }
        #expect(["tools/call", "prompts/get", "resources/read"].allSatisfy(ModernProtocol.mayNeedInput))
        #expect(!["tools/list", "completion/complete"].contains(where: ModernProtocol.mayNeedInput))
    }
}
