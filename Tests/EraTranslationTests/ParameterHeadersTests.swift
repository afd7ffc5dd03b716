import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("ParameterHeaders")
struct ParameterHeadersTests {
    /// A page with one tool whose schema has these properties.
    private static func annotations(properties: String, more: String = "") throws -> ToolPage.Annotations? {
        try annotations(schema: #"{"type":"object","properties":{\#(properties)}\#(more)}"#)
    }

    private static func annotations(schema: String) throws -> ToolPage.Annotations? {
        let page = try response(
            #"{"tools":[{"name":"other","inputSchema":{"type":"object"}},{"inputSchema":\#(schema),"name":"t"}]}"#)
        let found = ToolPage.annotations(in: page)
        #expect(found.allSatisfy { $0.tool == "t" } && found.count < 2)
        return found.first?.annotations
    }

    private static func headers(properties: String) throws -> ParameterHeaders {
        guard case .headers(let headers) = try annotations(properties: properties) else {
            Issue.record("no headers from \(properties)")
            throw NoMessage()
        }
        return headers
    }

    @Test("reads annotated properties, nested ones too")
    func reading() throws {
        let headers = try Self.headers(
            properties: #"""
                "region":{"type":"string","x-mcp-header":"Region"},"sql":{"type":"string"},
                "o":{"type":"object","properties":{"n":{"x-mcp-header":"Deep-N","type":"integer"}}},
                "properties":{"type":"boolean","x-mcp-header":"!#$"},"x-mcp-header":{"type":"string"}
                """#)
        #expect(headers.names == ["Mcp-Param-Region", "Mcp-Param-Deep-N", "Mcp-Param-!#$"])
    }

    @Test(
        "finds nothing where nothing is annotated",
        arguments: [
            #""a":{"type":"string"}"#, #""a":{"type":"string","default":{"x-mcp-header":"A"}}"#,
            #""a":{"enum":["x-mcp-header"],"examples":[{"x-mcp-header":1}]}"#,
            #""x-mcp-header":{"type":"string"}"#, #""a":{"const":{"properties":{"b":{"x-mcp-header":"B"}}}}"#,
            #""a":{"$ref":"x-mcp-header"}"#, #""a":true"#,
        ])
    func none(properties: String) throws {
        #expect(try Self.annotations(properties: properties) == nil)
    }

    @Test("knows an annotation however it is spelled")
    func spelling() throws {
        #expect(
            try Self.headers(properties: #""a":{"type":"string","x\u002dmcp-header":"A"}"#).names == ["Mcp-Param-A"])
        #expect(
            try Self.headers(properties: #""a":{"type":"string","x-mcp-h\u0065ader":"A"}"#).names == ["Mcp-Param-A"])
    }

    @Test(
        "refuses annotations that break a rule",
        arguments: [
            #""a":{"type":"string","x-mcp-header":""}"#, #""a":{"type":"string","x-mcp-header":"a b"}"#,
            #""a":{"type":"string","x-mcp-header":"a\r\nb"}"#, #""a":{"type":"string","x-mcp-header":"é"}"#,
            #""a":{"type":"string","x-mcp-header":7}"#, #""a":{"type":"string","x-mcp-header":"a:"}"#,
            #""a":{"type":"number","x-mcp-header":"A"}"#, #""a":{"x-mcp-header":"A"}"#,
            #""a":{"type":["string","null"],"x-mcp-header":"A"}"#,
            #""a":{"type":"object","x-mcp-header":"A"}"#,
            #""a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}"#,
            #""a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}"#,
            #""a":{"oneOf":[{"type":"string","x-mcp-header":"A"}]}"#,
            #""a":{"not":{"properties":{"b":{"type":"string","x-mcp-header":"A"}}}}"#,
            #""a":{"prefixItems":[{"type":"string","x-mcp-header":"A"}]}"#,
            #""a":{"patternProperties":{".":{"type":"string","x-mcp-header":"A"}}}"#,
            #""a":{"items":[{"type":"string","x-mcp-header":"A"}]}"#,
        ])
    func invalid(properties: String) throws {
        guard case .invalid(let reason) = try Self.annotations(properties: properties) else {
            Issue.record("valid: \(properties)")
            return
        }
        #expect(reason.contains("x-mcp-header"))
    }

    @Test(
        "refuses annotations on the schema itself and in its definitions",
        arguments: [#","x-mcp-header":"A""#, #","$defs":{"d":{"type":"string","x-mcp-header":"A"}}"#])
    func invalidRoot(more: String) throws {
        guard case .invalid = try Self.annotations(properties: "", more: more) else {
            Issue.record("valid: \(more)")
            return
        }
    }

    @Test("bounds depth and number")
    func bounds() throws {
        func nested(_ depth: Int) -> String {
            let inner = #"{"type":"string","x-mcp-header":"A"}"#
            return (0..<depth).reduce(inner) { schema, _ in "{\"properties\":{\"p\":\(schema)}}" }
        }
        guard case .headers = try Self.annotations(schema: nested(40)),
            case .headers = try Self.annotations(properties: (0..<32).map(property).joined(separator: ",")),
            case .invalid = try Self.annotations(properties: (0..<33).map(property).joined(separator: ","))
        else {
            Issue.record("the bounds are elsewhere")
            return
        }
        // Deeper than the scanner would ever let pass: a deeper limit is an operator's choice.
        let page = buffer(#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t","inputSchema":\#(nested(65))}]}}"#)
        guard case .message(let scan) = MessageScanner(maxDepth: 1000).scan(page),
            case .invalid = ToolPage.annotations(in: Message(bytes: page, scan: scan)).first?.annotations
        else {
            Issue.record("no bound on depth")
            return
        }
    }

    private func property(_ index: Int) -> String {
        #""p\#(index)":{"type":"string","x-mcp-header":"H\#(index)"}"#
    }

    @Test(
        "takes a call whose headers say what its arguments say",
        arguments: [
            (#"{"s":"us-west1","i":42,"b":true,"o":{"s":"x"}}"#, ["S: us-west1", "I: 42", "B: true", "O: x"]),
            (#"{"s":"us-west1","i":42.0}"#, ["S:us-west1", "I: 42"]), (#"{"i":42}"#, ["I: 42.00"]),
            (#"{"i":-7e0,"b":false}"#, ["I: -7", "B: false"]), (#"{"i":9007199254740993}"#, ["I: 9007199254740993"]),
            (#"{"i":123456789012345678901234567890}"#, ["I: 123456789012345678901234567890"]),
            (#"{"s":null,"o":{}}"#, []), ("{}", []), (#"{"s":"é"}"#, ["S: =?base64?w6k=?="]),
            (#"{"\u0073":" "}"#, ["S: =?base64?IA==?="]), (#"{"s":{"a":1},"o":[1]}"#, []),
            (#"{"x":1,"o":{"y":{"s":2},"s":"1"}}"#, ["O: 1", "Unknown: 7"]), (#"{"s":7}"#, ["S: 7"]),
        ] as [(String, [String])])
    func matching(arguments: String, headers: [String]) throws {
        try check(arguments, headers)
    }

    @Test(
        "refuses a call whose headers do not",
        arguments: [
            (#"{"s":"a"}"#, [], "is missing"), (#"{"s":"a"}"#, ["S: b"], "does not match"),
            (#"{"s":"a"}"#, ["S: A"], "does not match"), (#"{"s":"a"}"#, ["S: a", "s: a"], "occurs twice"),
            ("{}", ["S: a"], "its argument is not"), (#"{"s":null}"#, ["S: null"], "its argument is not"),
            (#"{"s":{"a":1}}"#, ["S: x"], "its argument is not"), (#"{"s":"a"}"#, ["S: =?base64?YR==?="], "encoded"),
            (#"{"i":42}"#, ["I: 43"], "does not match"), (#"{"i":42}"#, ["I: 42.5"], "does not match"),
            (#"{"i":42}"#, ["I: +42"], "does not match"), (#"{"i":42}"#, ["I: 42."], "does not match"),
            (#"{"i":42}"#, ["I: 4.2e1"], "does not match"),
            (#"{"i":9007199254740993}"#, ["I: 9007199254740992"], "match"),
            (#"{"i":42}"#, ["I: 99999999999999999999999"], "does not match"), (#"{"b":true}"#, ["B: True"], "match"),
            (#"{"b":true}"#, ["B: 1"], "does not match"), (#"{"o":{"s":"x"}}"#, [], "Mcp-Param-O is missing"),
            (#"{"s":"a","\u0073":"b"}"#, ["S: a"], "argument of Mcp-Param-S occurs twice"),
            (#"{"o":{"s":"x","s":"y"}}"#, ["O: x"], "occurs twice"),
            (#"{"s":"e\u0301"}"#, ["S: =?base64?w6k=?="], "match"),
        ] as [(String, [String], String)])
    func mismatching(arguments: String, headers: [String], part: String) throws {
        let error = try failure { try check(arguments, headers) }
        #expect(error.code == -32020)
        #expect(error.httpStatus == 400)
        #expect(error.message.hasPrefix("header mismatch: ") && error.message.contains(part))
    }

    @Test("takes a property whose name needs escapes for what it is")
    func escapedName() throws {
        let headers = try Self.headers(properties: #""a\\b":{"type":"string","x-mcp-header":"H"}"#)
        let call = try request("tools/call", #"{"name":"t","arguments":{"a\b":"no","a\\b":"yes"}}"#)
        try headers.check(RequestHeaders([(name: "mcp-param-h", value: "yes")]), against: call)
    }

    @Test("keeps properties apart whose names differ in bytes only")
    func equivalentNames() throws {
        let headers = try Self.headers(
            properties: #""\u00e9":{"type":"string","x-mcp-header":"A"},"e\u0301":{"type":"string","x-mcp-header":"B"}"#
        )
        let call = try request("tools/call", "{\"name\":\"t\",\"arguments\":{\"e\u{301}\":\"b\",\"\u{E9}\":\"a\"}}")
        let pairs = [(name: "mcp-param-a", value: "a"), (name: "mcp-param-b", value: "b")]
        try headers.check(RequestHeaders(pairs), against: call)
    }

    private func check(_ arguments: String, _ headers: [String]) throws {
        let parameters = try Self.headers(
            properties: #"""
                "s":{"type":"string","x-mcp-header":"S"},"i":{"type":"integer","x-mcp-header":"I"},
                "b":{"type":"boolean","x-mcp-header":"B"},
                "o":{"type":"object","properties":{"s":{"type":"string","x-mcp-header":"O"}}}
                """#)
        let call = try request("tools/call", "{\"name\":\"t\",\"arguments\":\(arguments)}")
        let pairs = headers.map { header in
            let parts = header.split(separator: ":", maxSplits: 1)
            return (name: "MCP-Param-\(parts[0])", value: String(parts[1]))
        }
        try parameters.check(RequestHeaders(pairs), against: call)
    }
}
