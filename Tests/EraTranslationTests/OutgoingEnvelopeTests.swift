import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("OutgoingEnvelope")
struct OutgoingEnvelopeTests {
    private static let envelope = OutgoingEnvelope(
        version: "2026-07-28", capabilities: ByteBuffer(string: #"{"roots":{}}"#), clientInfo: nil)
    /// What it puts into `_meta`.
    private static let members =
        #""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}}"#

    @Test("carries client and log level where they are given")
    func everything() throws {
        let envelope = OutgoingEnvelope(
            version: "2026-07-28", capabilities: ByteBuffer(string: "{}"),
            clientInfo: ByteBuffer(string: #"{"name":"c","version":"1"}"#), logLevel: .debug)
        #expect(
            String(buffer: envelope.params(ByteBuffer(string: #""cursor":"x""#)))
                == #"{"_meta":{\#(requiredMembers),"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"#
                + #""io.modelcontextprotocol/logLevel":"debug"},"cursor":"x"}"#)
        let read = try RequestEnvelope(of: request("tools/list", String(buffer: envelope.params())))
        #expect(read.logLevel == .debug)
        #expect(read.clientInfo != .absent)
    }

    @Test(
        "goes onto a request wherever its params leave off",
        arguments: [
            (nil, #"{"_meta":{\#(members)}}"#),
            ("{}", #"{"_meta":{\#(members)}}"#),
            ("{ }", #"{"_meta":{\#(members)} }"#),
            (#"{"n":1.0}"#, #"{"_meta":{\#(members)},"n":1.0}"#),
            (#"{ "n" : 1 }"#, #"{"_meta":{\#(members)}, "n" : 1 }"#),
            (#"{"n":1,"_meta":{}}"#, #"{"n":1,"_meta":{\#(members)}}"#),
            (#"{"_meta":null,"n":1}"#, #"{"_meta":{\#(members)},"n":1}"#),
            (#"{"_meta":{"x" : 2, "y":"é"},"n":1}"#, #"{"_meta":{\#(members),"x" : 2,"y":"é"},"n":1}"#),
            (
                #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"1","io.modelcontextprotocol/logLevel":"x","a":1}}"#,
                #"{"_meta":{\#(members),"a":1}}"#
            ),
            (
                #"{"_meta":{"io.modelcontextprotocol\/clientInfo":7,"a":1}}"#, #"{"_meta":{\#(members),"a":1}}"#
            ),
        ] as [(String?, String)])
    func stamping(params: String?, expected: String) throws {
        let message = try request("tools/call", params)
        let stamped = Self.envelope.stamped(on: message)
        #expect(try stamped.params(message) == expected)
        // It reads as what it is.
        _ = try RequestEnvelope(of: scanned(stamped.text(message)))
    }

    @Test("replaces the progress token, and adds none")
    func progressToken() throws {
        let token = Lexeme(integer: 5)
        let with = try request("tools/call", #"{"_meta":{"progressToken":"a"}}"#)
        #expect(
            try Self.envelope.stamped(on: with, progressToken: token).params(with)
                == #"{"_meta":{\#(Self.members),"progressToken":5}}"#)
        let without = try request("tools/call", "{}")
        #expect(
            try Self.envelope.stamped(on: without, progressToken: token).params(without)
                == #"{"_meta":{\#(Self.members)}}"#)
    }

    @Test("is applied together with changes of the caller")
    func together() throws {
        let message = try request("tools/call", #"{"_meta":{"progressToken":"a"},"name":"x","arguments":{}}"#)
        var splices = Self.envelope.stamped(on: message)
        splices.replace(message.scan[.id], with: Lexeme(integer: 900))
        splices.replace(message.scan[.paramsArguments], with: ByteBuffer(string: "{\"a\":1}"))
        #expect(
            try splices.text(message)
                == #"{"jsonrpc":"2.0","id":900,"method":"tools/call","params":{"_meta":{\#(Self.members),"#
                + #""progressToken":"a"},"name":"x","arguments":{"a":1}}}"#)
    }

    @Test(
        "makes the retry of a request",
        arguments: [
            (#"{"name":"x","arguments":{"a":1}}"#, #"{"_meta":{\#(members)},"name":"x","arguments":{"a":1}"#),
            (
                #"{"name":"x","_meta":{"progressToken":3,"b":1},"arguments":{}}"#,
                #"{"_meta":{\#(members),"progressToken":8,"b":1},"name":"x","arguments":{}"#
            ),
            (#"{"inputResponses":{"q":1},"name":"x","requestState":"old"}"#, #"{"_meta":{\#(members)},"name":"x""#),
            (nil, #"{"_meta":{\#(members)}"#),
        ] as [(String?, String)])
    func retry(params: String?, expected: String) throws {
        let original = try request("tools/call", params)
        let splices = Self.envelope.retrying(
            original, progressToken: Lexeme(integer: 8),
            responses: [
                (ByteBuffer(string: #""q\u0031""#), ByteBuffer(string: #"{"action":"accept"}"#)),
                (ByteBuffer(string: #""r""#), ByteBuffer(string: #"{"roots":[]}"#)),
            ], requestState: ByteBuffer(string: #""s\/t""#))
        #expect(
            try splices.params(original)
                == expected
                + #","inputResponses":{"q\u0031":{"action":"accept"},"r":{"roots":[]}},"requestState":"s\/t"}"#)
    }

    @Test("retries without answers or state where the upstream asked for neither")
    func bareRetry() throws {
        let original = try request("tools/call", #"{"name":"x","requestState":"old"}"#)
        #expect(
            try Self.envelope.retrying(original, responses: [], requestState: nil).params(original)
                == #"{"_meta":{\#(Self.members)},"name":"x"}"#)
    }
}
