import JSONRPCWire
import NIOCore
import Testing

/// A text, and the answer that it gets.
struct BadMessage: Sendable, CustomTestStringConvertible {
    var text: String
    var code: Int
    var reason: String
    var id: String?
    var isResponse = false

    init(_ text: String, _ code: Int, _ reason: String, id: String? = nil, isResponse: Bool = false) {
        self.text = text
        self.code = code
        self.reason = reason
        self.id = id
        self.isResponse = isResponse
    }

    var testDescription: String { text }
}

@Suite("Message rules")
struct MessageRuleTests {
    static let noOutcome = "a message must have a method, a result or an error"
    static let badID = "id must be a string or a number of at most 1024 bytes"
    static let badVersion = "jsonrpc must be \"2.0\""

    @Test(
        "answers every text that is no message as decided",
        arguments: [
            BadMessage("", -32700, "the line holds no JSON value"),
            BadMessage(" \t\r\n ", -32700, "the line holds no JSON value"),
            BadMessage("hello", -32700, "a JSON value was expected"),
            BadMessage("\u{FEFF}{}", -32700, "a byte order mark may not precede a message"),
            BadMessage("{", -32700, "a member name in double quotes was expected"),
            BadMessage("{\"id\":1", -32700, "a comma or closing brace was expected"),
            BadMessage("{\"id\" 1}", -32700, "a colon was expected after a member name"),
            BadMessage(#"{"jsonrpc":"2.0","id":1,"method":"m"}x"#, -32700, "text follows the JSON value"),
            BadMessage(#"{"jsonrpc":"2.0","id":1,"method":"m"}{}"#, -32700, "text follows the JSON value"),
            BadMessage(#"{"jsonrpc":"2.0","id":1,"method":"m"} ,"#, -32700, "text follows the JSON value"),
            BadMessage(#"{"id":1,"id":2,"Id":3]"#, -32700, "a comma or closing brace was expected"),
            BadMessage("1", -32600, "a message must be an object"),
            BadMessage("\"x\"", -32600, "a message must be an object"),
            BadMessage(" null ", -32600, "a message must be an object"),
            BadMessage("{}", -32600, "jsonrpc is missing, it must be \"2.0\""),
            BadMessage(#"{"id":7,"method":"m"}"#, -32600, "jsonrpc is missing, it must be \"2.0\"", id: "7"),
            BadMessage(#"{"jsonrpc":"1.0","id":7,"method":"m"}"#, -32600, badVersion, id: "7"),
            BadMessage(#"{"jsonrpc":2.0,"id":7,"method":"m"}"#, -32600, badVersion, id: "7"),
            BadMessage(#"{"jsonrpc":"2.0 ","id":7,"method":"m"}"#, -32600, badVersion, id: "7"),
            BadMessage(#"{"jsonrpc":null,"id":7,"result":1}"#, -32600, badVersion, id: "7", isResponse: true),
            BadMessage(#"{"jsonrpc":"2.0"}"#, -32600, noOutcome),
            BadMessage(#"{"jsonrpc":"2.0","id":"a"}"#, -32600, noOutcome, id: "\"a\""),
            BadMessage(#"{"jsonrpc":"2.0","id":7,"params":{}}"#, -32600, noOutcome, id: "7"),
            BadMessage(#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, -32600, badID),
            BadMessage(#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, -32600, badID),
            BadMessage(#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#, -32600, badID),
            BadMessage(#"{"jsonrpc":"2.0","id":{"id":1},"method":"m"}"#, -32600, badID),
            BadMessage(#"{"jsonrpc":"2.0","id":"\ud800","method":"m"}"#, -32600, badID),
            BadMessage(#"{"jsonrpc":"2.0","id":1e10000,"method":"m"}"#, -32600, badID),
            BadMessage(#"{"jsonrpc":"2.0","id":7,"method":1}"#, -32600, "method must be a string", id: "7"),
            BadMessage(#"{"jsonrpc":"2.0","id":7,"method":null}"#, -32600, "method must be a string", id: "7"),
            BadMessage(#"{"jsonrpc":"2.0","id":7,"method":"\udc00"}"#, -32600, "method has a lone surrogate", id: "7"),
            BadMessage(
                #"{"jsonrpc":"2.0","id":7,"method":"m","params":[]}"#, -32600, "params must be an object", id: "7"),
            BadMessage(
                #"{"jsonrpc":"2.0","id":7,"method":"m","params":null}"#, -32600, "params must be an object", id: "7"),
            BadMessage(#"{"jsonrpc":"2.0","method":"m","params":"x"}"#, -32600, "params must be an object"),
            BadMessage(
                #"{"jsonrpc":"2.0","id":7,"method":"m","result":{}}"#, -32600,
                "a message with a method may have neither result nor error", id: "7"),
            BadMessage(
                #"{"jsonrpc":"2.0","id":7,"method":"m","error":{}}"#, -32600,
                "a message with a method may have neither result nor error", id: "7"),
            BadMessage(
                #"{"jsonrpc":"2.0","id":7,"result":{},"error":{}}"#, -32600,
                "a response may have a result or an error, not both", id: "7", isResponse: true),
            BadMessage(#"{"jsonrpc":"2.0","result":{}}"#, -32600, "a result must have an id", isResponse: true),
            BadMessage(#"{"jsonrpc":"2.0","id":null,"result":{}}"#, -32600, badID, isResponse: true),
            BadMessage(#"{"jsonrpc":"2.0","id":false,"error":{}}"#, -32600, badID, isResponse: true),
            BadMessage(
                #"{"jsonrpc":"2.0","id":7,"error":"no"}"#, -32600, "error must be an object", id: "7", isResponse: true),
            BadMessage("[]", -32600, "a batch must not be empty"),
            BadMessage("[1,]", -32700, "a JSON value was expected"),
            BadMessage("[1", -32700, "a comma or closing bracket was expected"),
            BadMessage("[1] 2", -32700, "text follows the JSON value"),
        ])
    func refused(_ bad: BadMessage) throws {
        let bytes = buffer(bad.text)
        let rejection = try rejected(bytes)
        #expect(rejection.code == bad.code)
        #expect(rejection.reason == bad.reason)
        #expect(text(rejection.id, of: bytes) == bad.id)
        #expect(rejection.isResponse == bad.isResponse)
        #expect((0...bytes.readableBytes).contains(rejection.offset))
    }

    @Test(
        "tells the kinds of message apart",
        arguments: [
            (#"{"jsonrpc":"2.0","id":1,"method":"m"}"#, .request),
            (#"{"jsonrpc":"2.0","id":"","method":"m","params":{}}"#, .request),
            (#"{"jsonrpc":"2.0","id":1.5,"method":""}"#, .request),
            (#"{"jsonrpc":"\u0032.0","id":-0,"method":"m"}"#, .request),
            (#"{"\u006asonrpc":"2.0","\u0069d":1,"\u006dethod":"m"}"#, .request),
            (#"{"method":"m","jsonrpc":"2.0","x":{"id":null}}"#, .notification),
            (#"{"jsonrpc":"2.0","id":1,"result":null}"#, .result),
            (#"{"jsonrpc":"2.0","id":1,"result":{},"extra":[1]}"#, .result),
            (#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#, .error),
            (#"{"jsonrpc":"2.0","id":null,"error":{}}"#, .error),
            (#"{"jsonrpc":"2.0","error":{}}"#, .error),
            (" \t{ \"jsonrpc\" : \"2.0\" ,\r\n \"id\" : 1 , \"method\" : \"m\" } \r\n", .request),
        ] as [(String, MessageKind)])
    func kinds(_ line: String, _ kind: MessageKind) throws {
        let message = try scanned(line)
        #expect(message.scan.kind == kind)
        #expect(message.scan.length == message.bytes.readableBytes)
    }

    @Test("finds every member at its level, and only there")
    func members() throws {
        let request = try scanned(
            """
            {"jsonrpc":"2.0","id":"a","method":"m","params":{"name":1,"arguments":{"name":9},"_meta":\
            {"progressToken":"t","io.modelcontextprotocol/protocolVersion":2,\
            "io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":3,\
            "io.modelcontextprotocol/logLevel":"info","io.modelcontextprotocol/subscriptionId":4,"name":8},\
            "uri":5,"requestId":6,"cursor":7,"level":8,"protocolVersion":9,"capabilities":10,"clientInfo":11,\
            "progressToken":12,"reason":13,"inputResponses":14,"requestState":15,"notifications":16},"name":0}
            """)
        let response = try scanned(
            """
            {"jsonrpc":"2.0","id":1,"result":{"tools":[],"nextCursor":1,"isError":true,"protocolVersion":2,\
            "capabilities":3,"serverInfo":4,"content":5,"structuredContent":6,"resultType":7,"inputRequests":8,\
            "requestState":9,"_meta":{"tools":1,"tools":2}},"tools":0}
            """)
        let failure = try scanned(#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","data":[ ]}}"#)
        let expected: [(Message, [Member: String])] = [
            (
                request,
                [
                    .id: "\"a\"", .method: "\"m\"", .paramsName: "1", .paramsArguments: "{\"name\":9}",
                    .metaProgressToken: "\"t\"", .metaProtocolVersion: "2", .metaClientCapabilities: "{}",
                    .metaClientInfo: "3", .metaLogLevel: "\"info\"", .metaSubscriptionID: "4", .paramsURI: "5",
                    .paramsRequestID: "6", .paramsCursor: "7", .paramsLevel: "8", .paramsProtocolVersion: "9",
                    .paramsCapabilities: "10", .paramsClientInfo: "11", .paramsProgressToken: "12",
                    .paramsReason: "13", .paramsInputResponses: "14", .paramsRequestState: "15",
                    .paramsNotifications: "16",
                ]
            ),
            (
                response,
                [
                    .id: "1", .resultTools: "[]", .resultNextCursor: "1", .resultIsError: "true",
                    .resultProtocolVersion: "2", .resultCapabilities: "3", .resultServerInfo: "4",
                    .resultContent: "5", .resultStructuredContent: "6", .resultType: "7", .resultInputRequests: "8",
                    .resultRequestState: "9", .resultMeta: "{\"tools\":1,\"tools\":2}",
                ]
            ),
            (failure, [.id: "1", .errorCode: "-1", .errorMessage: "\"m\"", .errorData: "[ ]"]),
        ]
        let containers: Set<Member> = [.params, .paramsMeta, .result, .error]
        for (message, members) in expected {
            for member in Member.allCases where !containers.contains(member) {
                #expect(text(message.scan[member], of: message.bytes) == members[member], "\(member)")
            }
        }
        #expect(text(request.scan[.paramsMeta], of: request.bytes)?.hasSuffix(#""name":8}"#) == true)
    }
}
