import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("SubscriptionFilter")
struct SubscriptionFilterTests {
    private func filter(_ notifications: String) throws -> SubscriptionFilter {
        try SubscriptionFilter(of: request("subscriptions/listen", "{\"notifications\":\(notifications)}"))
    }

    @Test(
        "reads what is asked for, and writes it alike",
        arguments: [
            ("{}", "{}"), (#"{"toolsListChanged":true}"#, #"{"toolsListChanged":true}"#),
            (
                #"{"resourceSubscriptions":["file:///b","file:///a","file:\/\/\/b"],"promptsListChanged":true,"resourcesListChanged":true}"#,
                #"{"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["file:///b","file:///a"]}"#
            ),
            (#"{"toolsListChanged":false,"promptsListChanged":null,"resourceSubscriptions":[]}"#, "{}"),
            (#"{"taskStatus":["x"],"toolsListChanged":true}"#, #"{"toolsListChanged":true}"#),
        ])
    func reading(notifications: String, expected: String) throws {
        let filter = try filter(notifications)
        #expect(String(buffer: filter.json) == expected)
        #expect(filter.isEmpty == (expected == "{}"))
        let envelope = OutgoingEnvelope(
            version: "2026-07-28", capabilities: ByteBuffer(string: "{}"), clientInfo: nil)
        let listen = try request("subscriptions/listen", String(buffer: filter.listenParams(envelope)))
        #expect(try SubscriptionFilter(of: listen) == filter)
        _ = try RequestEnvelope(of: listen)
    }

    @Test(
        "refuses a malformed filter with -32602",
        arguments: [
            nil, "{}", #"{"notifications":[]}"#, #"{"notifications":null}"#,
            #"{"notifications":{"toolsListChanged":1}}"#, #"{"notifications":{"resourceSubscriptions":"u"}}"#,
            #"{"notifications":{"resourceSubscriptions":[1]}}"#,
            #"{"notifications":{"resourceSubscriptions":["\ud800"]}}"#,
        ])
    func malformed(params: String?) throws {
        let message = try request("subscriptions/listen", params)
        #expect(try failure { try SubscriptionFilter(of: message) }.code == -32602)
    }

    @Test("takes no more resources than its cap")
    func cap() throws {
        func uris(_ count: Int) -> String {
            "{\"resourceSubscriptions\":[\((0..<count).map { "\"u\($0)\"" }.joined(separator: ","))]}"
        }
        #expect(try filter(uris(1024)).resources.count == SubscriptionFilter.maxResources)
        let message = try request("subscriptions/listen", "{\"notifications\":\(uris(1025))}")
        #expect(try failure { try SubscriptionFilter(of: message) }.code == -32602)
    }

    @Test(
        "lets pass what was asked for and nothing else",
        arguments: [
            ("notifications/tools/list_changed", nil, true), ("notifications/prompts/list_changed", nil, false),
            ("notifications/resources/list_changed", nil, false),
            ("notifications/resources/updated", "file:///a", true),
            ("notifications/resources/updated", "file:///a/b", true),
            ("notifications/resources/updated", "file:///a#b", true),
            ("notifications/resources/updated", "file:///ab", false),
            ("notifications/resources/updated", "file:///", false),
            ("notifications/resources/updated", "dir:///x", true), ("notifications/resources/updated", nil, false),
            ("notifications/progress", nil, false), ("notifications/message", nil, false),
        ] as [(String, String?, Bool)])
    func admitting(method: String, uri: String?, expected: Bool) throws {
        let filter = try filter(
            #"{"toolsListChanged":true,"resourceSubscriptions":["file:///a","dir:///"]}"#)
        let params = uri.map { ",\"params\":{\"uri\":\"\($0)\"}" } ?? ""
        let message = try scanned(#"{"jsonrpc":"2.0","method":"\#(method)"\#(params)}"#)
        #expect(filter.admits(message) == expected)
    }

    @Test("is cut down to what the server has")
    func restricting() throws {
        let all = try filter(
            #"{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["u"]}"#
        )
        let some = all.restricted(tools: true, prompts: false, resourceLists: false, subscribesToResources: true)
        #expect(String(buffer: some.json) == #"{"toolsListChanged":true,"resourceSubscriptions":["u"]}"#)
        #expect(
            all.restricted(tools: false, prompts: true, resourceLists: true, subscribesToResources: false).resources
                .isEmpty)
        #expect(
            SubscriptionFilter().restricted(
                tools: true, prompts: true, resourceLists: true, subscribesToResources: true
            ).isEmpty)
    }
}

@Suite("Subscription")
struct SubscriptionTests {
    private func subscription(_ id: String) throws -> Subscription {
        let message = try scanned(#"{"jsonrpc":"2.0","id":\#(id),"method":"subscriptions/listen"}"#)
        return Subscription(id: Lexeme(message.scan[.id], in: message.bytes))
    }

    @Test(
        "acknowledges and closes under the id of its request, as that was sent",
        arguments: ["1", "\"listen-1\"", "1.0"])
    func messages(id: String) throws {
        let subscription = try subscription(id)
        var filter = SubscriptionFilter()
        filter.toolsListChanged = true
        #expect(
            String(buffer: subscription.acknowledgement(filter))
                == #"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"#
                + #""io.modelcontextprotocol/subscriptionId":\#(id)},"notifications":{"toolsListChanged":true}}}"#)
        #expect(
            String(buffer: subscription.closing)
                == #"{"jsonrpc":"2.0","id":\#(id),"result":{"resultType":"complete","_meta":{"#
                + #""io.modelcontextprotocol/subscriptionId":\#(id)}}}"#)
    }

    @Test(
        "tags a notification, and takes the tag off again",
        arguments: [
            ("", #","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7}}"#, #","params":{}"#),
            (
                #","params":{"uri":"u"}"#,
                #","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7},"uri":"u"}"#,
                #","params":{"uri":"u"}"#
            ),
            (
                #","params":{"uri":"u","_meta":{"a":1}}"#,
                #","params":{"uri":"u","_meta":{"io.modelcontextprotocol/subscriptionId":7,"a":1}}"#,
                #","params":{"uri":"u","_meta":{"a":1}}"#
            ),
            (
                #","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"upstream's"}}"#,
                #","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7}}"#, #","params":{}"#
            ),
        ])
    func tagging(params: String, tagged: String, untagged: String) throws {
        let head = #"{"jsonrpc":"2.0","method":"notifications/resources/updated""#
        let message = try scanned("\(head)\(params)}")
        let there = try scanned(subscription("7").tagged(message).text(message))
        #expect(there.text(.metaSubscriptionID) == "7")
        #expect(String(buffer: there.bytes) == "\(head)\(tagged)}")
        #expect(try Subscription.untagged(there).text(there) == "\(head)\(untagged)}")
    }
}
