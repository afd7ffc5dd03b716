import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("InputRequired")
struct InputRequiredTests {
    @Test("embeds what a legacy upstream asks")
    func embedding() throws {
        let ask = try ServerRequest(
            of: request("elicitation/create", #"{"message":"é?","requestedSchema":{"type":"object"},"task":{"ttl":1}}"#)
        )
        let sample = try ServerRequest(
            of: request(
                "sampling/createMessage", #"{"_meta":{"progressToken":1},"maxTokens":5e1,"messages":[]}"#))
        let roots = try ServerRequest(of: request("roots/list", nil))
        let result = InputRequired.result(
            asking: [("1", ask), ("2\"", sample), ("3", roots)], requestState: "st")
        #expect(
            String(buffer: result)
                == #"{"resultType":"input_required","inputRequests":{"1":{"method":"elicitation/create","params":{"message""#
                + #":"é?","requestedSchema":{"type":"object"}}},"2\"":{"method":"sampling/createMessage","params":{"#
                + #""maxTokens":5e1,"messages":[]}},"3":{"method":"roots/list"}},"requestState":"st"}"#)
        // A modern client reads back what was asked.
        let message = try response(String(buffer: result))
        #expect(ResultTranslation.kind(of: message) == .inputRequired)
        let read = try InputRequired(of: message)
        #expect(read.requests.map { String(buffer: $0.key) } == [#""1""#, #""2\"""#, #""3""#])
        #expect(read.requests.map(\.request.method) == [.elicitation, .sampling, .roots])
        #expect(read.requestState.map(String.init(buffer:)) == #""st""#)
    }

    @Test(
        "adapts the params of what is asked",
        arguments: [
            (
                "elicitation/create", #"{"mode":"url","elicitationId":"e","url":"u","message":"m"}"#,
                #"{"mode":"url","url":"u","message":"m"}"#
            ),
            ("sampling/createMessage", #"{"elicitationId":"e"}"#, #"{"elicitationId":"e"}"#),
            ("roots/list", #"{"_meta":{"progressToken":1,"a":2}}"#, #"{"_meta":{"a":2}}"#), ("roots/list", "{}", "{}"),
        ])
    func modernParams(method: String, params: String, expected: String) throws {
        let asked = try ServerRequest(of: request(method, params))
        let result = InputRequired.result(asking: [("k", asked)], requestState: nil)
        let read = try InputRequired(of: response(String(buffer: result)))
        #expect(read.requests.first?.request.params.map(String.init(buffer:)) == expected)
    }

    @Test(
        "gives a legacy client the id that it needs to open a URL",
        arguments: [
            (#"{"mode":"url","url":"u"}"#, #"{"mode":"url","url":"u","elicitationId":"9"}"#),
            (#"{"mode":"url","elicitationId":null}"#, #"{"mode":"url","elicitationId":"9"}"#),
            (#"{"mode":"url","elicitationId":"own"}"#, #"{"mode":"url","elicitationId":"own"}"#),
            (#"{"mode":"form","n":1.0}"#, #"{"mode":"form","n":1.0}"#), (#"{"message":"m"}"#, #"{"message":"m"}"#),
        ])
    func legacyParams(params: String, expected: String) {
        let asked = ServerRequest(method: .elicitation, params: buffer(params))
        #expect(asked.legacyParams(elicitationID: "9").map(String.init(buffer:)) == expected)
    }

    @Test(
        "knows what a client must have declared to be asked",
        arguments: [
            (.roots, nil, .roots), (.sampling, "{}", .sampling), (.sampling, #"{"tools":null}"#, .sampling),
            (.sampling, #"{"tools":[]}"#, [.sampling, .samplingTools]),
            (.sampling, #"{"toolChoice":{}}"#, [.sampling, .samplingTools]),
            (.elicitation, "{}", .elicitationForm), (.elicitation, #"{"mode":"form"}"#, .elicitationForm),
            (.elicitation, #"{"mode":"url"}"#, .elicitationURL),
        ] as [(ServerRequest.Method, String?, ClientFeatures)])
    func features(method: ServerRequest.Method, params: String?, expected: ClientFeatures) {
        #expect(ServerRequest(method: method, params: params.map(buffer)).features == expected)
    }

    @Test(
        "refuses to translate what no modern client can be asked",
        arguments: [
            ("ping", "{}", -32601), ("x/y", "{}", -32601), ("elicitation/create", nil, -32602),
            ("sampling/createMessage", nil, -32602),
        ] as [(String, String?, Int)])
    func refusing(method: String, params: String?, code: Int) throws {
        let message = try request(method, params)
        #expect(try failure { try ServerRequest(of: message) }.code == code)
    }

    @Test("takes requests without state, and state without requests")
    func parts() throws {
        let requests = try InputRequired(
            of: response(#"{"inputRequests":{"q" : { "x":1, "method":"roots\/list" } },"requestState":null}"#))
        #expect(requests.requests.map(\.request) == [ServerRequest(method: .roots, params: nil)])
        #expect(requests.requestState == nil)
        let state = try InputRequired(of: response(#"{"requestState":"s","inputRequests":{}}"#))
        #expect(state.requests.isEmpty)
        #expect(state.requestState.map(String.init(buffer:)) == #""s""#)
    }

    @Test(
        "refuses a malformed one",
        arguments: [
            "{}", #"{"inputRequests":{}}"#, #"{"inputRequests":[]}"#, #"{"requestState":7}"#,
            #"{"inputRequests":{"q":{}}}"#, #"{"inputRequests":{"q":null}}"#,
            #"{"inputRequests":{"q":{"method":"ping"}}}"#, #"{"inputRequests":{"q":{"method":7,"params":{}}}}"#,
            #"{"inputRequests":{"q":{"method":"elicitation/create"}}}"#,
            #"{"inputRequests":{"q":{"method":"roots/list","params":[]}}}"#,
            #"{"inputRequests":{"q":{"method":"roots/list","method":"ping"}}}"#,
            #"{"inputRequests":{"q":{"method":"roots/list"},"\u0071":{"method":"roots/list"}}}"#,
            #"{"inputRequests":{"\ud800":{"method":"roots/list"}}}"#,
        ])
    func malformed(result: String) throws {
        let message = try response(result)
        let error = try failure { try InputRequired(of: message) }
        #expect(error.code == -32603)
        #expect(error.data.map(String.init(buffer:)) == #"{"reason":"malformed_result"}"#)
    }

    @Test("takes no more requests than its cap")
    func cap() throws {
        func result(_ count: Int) -> String {
            let requests = (0..<count).map { #""\#($0)":{"method":"roots/list"}"# }
            return "{\"inputRequests\":{\(requests.joined(separator: ","))}}"
        }
        #expect(try InputRequired(of: response(result(InputRequired.maxRequests))).requests.count == 64)
        let message = try response(result(InputRequired.maxRequests + 1))
        #expect(try failure { try InputRequired(of: message) }.code == -32603)
    }
}

@Suite("InputResponses")
struct InputResponsesTests {
    @Test("finds the answers in the order of the keys, and ignores others")
    func reading() throws {
        let message = try request(
            "tools/call",
            #"{"inputResponses":{"x":1,"b":{"n":1.0},"\u0061" : {"action":"decline"}},"requestState":"s\u0074"}"#)
        let responses = try InputResponses(of: message, expecting: ["a", "b", "c"])
        #expect(
            responses.results.map { $0.map(String.init(buffer:)) } == [#"{"action":"decline"}"#, #"{"n":1.0}"#, nil])
        #expect(!responses.isComplete)
        #expect(try InputResponses(of: message, expecting: ["b"]).isComplete)
        #expect(try InputResponses.requestState(of: message) == "st")
        #expect(InputResponses.isRetry(message))
    }

    @Test("finds none in a request that has none", arguments: [nil, "{}", #"{"inputResponses":null}"#])
    func none(params: String?) throws {
        let message = try request("tools/call", params)
        #expect(try InputResponses(of: message, expecting: ["a"]).results == [nil])
        #expect(try InputResponses.requestState(of: message) == nil)
    }

    @Test(
        "refuses malformed answers with -32602",
        arguments: [
            #"{"inputResponses":[]}"#, #"{"inputResponses":{"a":1}}"#, #"{"inputResponses":{"a":null}}"#,
            #"{"inputResponses":{"a":{},"\u0061":{}}}"#,
        ])
    func malformed(params: String) throws {
        let message = try request("tools/call", params)
        let error = try failure { try InputResponses(of: message, expecting: ["a"]) }
        #expect(error.code == -32602)
    }

    @Test("refuses a state that is no text", arguments: ["7", "{}", #""\ud800""#])
    func state(value: String) throws {
        let message = try request("tools/call", "{\"requestState\":\(value)}")
        #expect(
            try failure { try InputResponses.requestState(of: message) }.code == -32602)
    }

    @Test("takes no more answers than its cap")
    func cap() throws {
        func message(_ count: Int) throws -> Message {
            let answers = (0..<count).map { #""\#($0)":{}"# }.joined(separator: ",")
            return try request("tools/call", "{\"inputResponses\":{\(answers)}}")
        }
        let most = try message(InputResponses.maxResponses)
        #expect(try InputResponses(of: most, expecting: ["255"]).isComplete)
        let tooMany = try message(InputResponses.maxResponses + 1)
        #expect(try failure { try InputResponses(of: tooMany, expecting: ["0"]) }.code == -32602)
    }

    @Test("does not take a first request for a retry")
    func first() throws {
        #expect(!InputResponses.isRetry(try request("tools/call", #"{"name":"x"}"#)))
    }
}
