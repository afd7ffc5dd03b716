import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("RequestEnvelope")
struct RequestEnvelopeTests {
    private static let version = #""io.modelcontextprotocol/protocolVersion":"2026-07-28""#

    @Test("reads version, capabilities, client and log level")
    func reading() throws {
        let message = try request(
            "tools/call",
            #"""
            {"name":"x","_meta":{\#(Self.version),"io.modelcontextprotocol/clientCapabilities": {"roots":{}} ,"progressToken":7,
            "io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/logLevel":"warning"}}
            """#)
        let envelope = try RequestEnvelope(of: message)
        #expect(envelope.version == "2026-07-28")
        #expect(String(buffer: slice(envelope.capabilities, of: message)) == #"{"roots":{}}"#)
        #expect(String(buffer: slice(envelope.clientInfo, of: message)) == #"{"name":"c","version":"1"}"#)
        #expect(envelope.features == .roots)
        #expect(envelope.logLevel == .warning)
        #expect(ModernProtocol.isCarried(by: message))
    }

    @Test("takes an envelope of nothing but the required fields, and null for the others")
    func minimum() throws {
        for optional in ["", #","io.modelcontextprotocol/clientInfo":null,"io.modelcontextprotocol/logLevel":null"#] {
            let envelope = try RequestEnvelope(of: request("tools/list", "{\"_meta\":{\(requiredMembers)\(optional)}}"))
            #expect(envelope.clientInfo == .absent)
            #expect(envelope.logLevel == nil)
            #expect(envelope.features.isEmpty)
        }
    }

    @Test(
        "reads which questions a client takes",
        arguments: [
            ("{}", []),
            (#"{"sampling":{}}"#, .sampling),
            (#"{"sampling":{"tools":{}}}"#, [.sampling, .samplingTools]),
            (#"{"sampling":{"tools":null}}"#, .sampling),
            (#"{"elicitation":{}}"#, .elicitationForm),
            (#"{"elicitation":{"form":{}}}"#, .elicitationForm),
            (#"{"elicitation":{"url":{}}}"#, .elicitationURL),
            (#"{"elicitation":{"form":{},"url":{}}}"#, .elicitation),
            (#"{"roots":{"listChanged":true}}"#, .roots),
            (#"{"ro\u006fts":{}}"#, .roots),
            (#"{"roots":null,"sampling":true,"elicitation":"yes"}"#, []),
            (#"{"x":{"sampling":{}},"y":["roots"]}"#, []),
            (#"{ "x" : [ {"a":"}"} , 1 ] , "sampling" : { } , "roots":{}}"#, [.sampling, .roots]),
        ] as [(String, ClientFeatures)])
    func features(capabilities: String, expected: ClientFeatures) throws {
        let meta = #"{\#(Self.version),"io.modelcontextprotocol/clientCapabilities":\#(capabilities)}"#
        #expect(try RequestEnvelope(of: request("tools/list", "{\"_meta\":\(meta)}")).features == expected)
    }

    @Test(
        "refuses a missing field with -32602 and 400",
        arguments: [
            (nil, "protocolVersion and io.modelcontextprotocol/clientCapabilities"),
            ("{}", "protocolVersion and io.modelcontextprotocol/clientCapabilities"),
            (#"{"_meta":null}"#, "protocolVersion and io.modelcontextprotocol/clientCapabilities"),
            (#"{"_meta":{\#(version)}}"#, "clientCapabilities"),
            (#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}}"#, "protocolVersion"),
        ] as [(String?, String)])
    func missing(params: String?, names: String) throws {
        let message = try request("tools/list", params)
        let error = try failure { try RequestEnvelope(of: message) }
        #expect(error.code == -32602)
        #expect(error.httpStatus == 400)
        #expect(error.message == "params._meta lacks io.modelcontextprotocol/\(names)")
        #expect(error.data == nil)
    }

    @Test(
        "refuses a field of the wrong shape with -32602",
        arguments: [
            #""io.modelcontextprotocol/protocolVersion":7,"io.modelcontextprotocol/clientCapabilities":{}"#,
            #""io.modelcontextprotocol/protocolVersion":null,"io.modelcontextprotocol/clientCapabilities":{}"#,
            #"\#(version),"io.modelcontextprotocol/clientCapabilities":[]"#,
            #"\#(version),"io.modelcontextprotocol/clientCapabilities":null"#,
            #"\#(requiredMembers),"io.modelcontextprotocol/clientInfo":"me""#,
            #"\#(requiredMembers),"io.modelcontextprotocol/clientInfo":{"name":"me"}"#,
            #"\#(requiredMembers),"io.modelcontextprotocol/clientInfo":{"name":"me","version":1}"#,
            #"\#(requiredMembers),"io.modelcontextprotocol/logLevel":"loud""#,
            #"\#(requiredMembers),"io.modelcontextprotocol/logLevel":"Info""#,
            #"\#(requiredMembers),"io.modelcontextprotocol/logLevel":4"#,
        ])
    func shape(meta: String) throws {
        let message = try request("tools/list", "{\"_meta\":{\(meta)}}")
        let error = try failure { try RequestEnvelope(of: message) }
        #expect(error.code == -32602)
        #expect(error.httpStatus == 400)
    }

    @Test("refuses an unknown version with -32022 and what the client may use instead")
    func unknownVersion() throws {
        // The shape of what an unknown revision brings is nobody's to judge.
        let message = try request(
            "tools/list",
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"1900-01-01","io.modelcontextprotocol/clientCapabilities":7}}"#
        )
        let error = try failure {
            try RequestEnvelope(of: message, supported: ["2026-07-28", "2025-11-25"])
        }
        #expect(error.code == -32022)
        #expect(error.httpStatus == 400)
        #expect(
            error.data.map(String.init(buffer:))
                == #"{"supported":["2026-07-28","2025-11-25"],"requested":"1900-01-01"}"#)
        #expect(
            String(buffer: error.reply(to: Lexeme(integer: 4)))
                == #"{"jsonrpc":"2.0","id":4,"error":{"code":-32022,"message":"unsupported protocol version "#
                + #"\"1900-01-01\", supported: 2026-07-28, 2025-11-25","data":{"supported":["2026-07-28","2025-11-25"],"#
                + #""requested":"1900-01-01"}}}"#)
    }

    @Test("quotes no more than a line of what a client calls its version")
    func longVersion() throws {
        let long = String(repeating: "\u{1F600}", count: 10_000)
        let message = try request(
            "tools/list",
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"\#(long)","io.modelcontextprotocol/clientCapabilities":{}}}"#
        )
        let error = try failure { try RequestEnvelope(of: message) }
        #expect(error.message.utf8.count < 400)
        #expect(error.reply(to: .null).readableBytes < 1000)
    }

    @Test("tells which declared capability is missing, with -32021 and 400")
    func undeclared() throws {
        let envelope = try RequestEnvelope(of: request("tools/list", "{\"_meta\":{\(requiredMembers)}}"))
        let error = try failure { try envelope.require(.elicitationForm) }
        #expect(error.code == -32021)
        #expect(error.httpStatus == 400)
        #expect(error.message == "the client has not declared elicitation")
        #expect(error.data.map(String.init(buffer:)) == #"{"requiredCapabilities":{"elicitation":{}}}"#)
        try envelope.require([])
    }

    @Test(
        "writes capabilities as the schema does",
        arguments: [
            ([.sampling, .samplingTools], #"{"sampling":{"tools":{}}}"#), (.roots, #"{"roots":{}}"#),
            (.elicitation, #"{"elicitation":{"form":{},"url":{}}}"#),
            ([.sampling, .elicitationURL], #"{"sampling":{},"elicitation":{"url":{}}}"#), ([], "{}"),
        ] as [(ClientFeatures, String)])
    func capabilities(features: ClientFeatures, json: String) {
        #expect(String(buffer: features.capabilities) == json)
    }

    @Test(
        "takes the envelope off and leaves all else",
        arguments: [
            (#"{"name":"x","_meta":{\#(requiredMembers)}}"#, #"{"name":"x"}"#),
            (#"{"_meta":{\#(requiredMembers)},"name":"x"}"#, #"{"name":"x"}"#),
            (#"{ "_meta" : {\#(requiredMembers)} , "name":"x"}"#, #"{ "name":"x"}"#),
            (#"{"a":1 , "_meta" : {\#(requiredMembers)} , "name":"x"}"#, #"{"a":1 , "name":"x"}"#),
            (#"{"_meta":{\#(requiredMembers)}}"#, "{}"),
            (#"{"_meta":{\#(requiredMembers)},"n":1.50e3}"#, #"{"n":1.50e3}"#),
            (#"{"\u005fmeta":{\#(requiredMembers)},"n":1}"#, #"{"n":1}"#),
            (
                #"{"_meta":{"traceparent":"00-é",\#(requiredMembers), "z" : [1, 2] ,"io.modelcontextprotocol/logLevel":"info"},"n":1}"#,
                #"{"_meta":{"traceparent":"00-é","z" : [1, 2]},"n":1}"#
            ),
            (#"{"_meta":{"progressToken":"p",\#(requiredMembers)}}"#, #"{"_meta":{"progressToken":"p"}}"#),
            (
                #"{"_meta":{"progress\u0054oken":"p", "x":"}",\#(requiredMembers)}}"#,
                #"{"_meta":{"progress\u0054oken":"p","x":"}"}}"#
            ),
            (#"{"name":"x"}"#, #"{"name":"x"}"#), (#"{"_meta":{"a":1}}"#, #"{"_meta":{"a":1}}"#),
            (#"{"_meta":{}}"#, #"{"_meta":{}}"#), (#"{"_meta":null}"#, #"{"_meta":null}"#),
        ])
    func stripping(params: String, expected: String) throws {
        let message = try request("tools/call", params)
        #expect(try RequestEnvelope.stripped(from: message).params(message) == expected)
    }

    @Test("replaces the progress token, and adds none")
    func progressToken() throws {
        let token = Lexeme(integer: 77)
        let with = try request("tools/call", #"{"_meta":{"progressToken" : "p",\#(requiredMembers)}}"#)
        #expect(
            try RequestEnvelope.stripped(from: with, progressToken: token).params(with)
                == #"{"_meta":{"progressToken" : 77}}"#)
        let without = try request("tools/call", #"{"_meta":{\#(requiredMembers)}}"#)
        #expect(try RequestEnvelope.stripped(from: without, progressToken: token).params(without) == "{}")
    }

    private func slice(_ range: ByteRange, of message: Message) -> ByteBuffer {
        message.bytes.getSlice(at: message.bytes.readerIndex + Int(range.lower), length: range.count) ?? ByteBuffer()
    }
}
