import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("ResultTranslation")
struct ResultTranslationTests {
    @Test(
        "completes a legacy result for a modern client",
        arguments: [
            ("tools/call", #"{"content":[]}"#, #"{"resultType":"complete","content":[]}"#),
            ("prompts/get", #"{ "messages":[] }"#, #"{"resultType":"complete", "messages":[] }"#),
            ("completion/complete", "{}", #"{"resultType":"complete"}"#),
            ("tools/call", "{ }", #"{"resultType":"complete" }"#),
            (
                "tools/list", #"{"tools":[],"x":1e5}"#,
                #"{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[],"x":1e5}"#
            ),
            ("resources/read", "{}", #"{"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#),
            ("prompts/list", "{}", #"{"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#),
            ("resources/list", "{}", #"{"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#),
            ("resources/templates/list", "{}", #"{"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#),
            // What a legacy server means by these names nobody knows.
            ("tools/call", #"{"resultType":"input_required","ttlMs":5}"#, #"{"resultType":"complete","ttlMs":5}"#),
            (
                "tools/list", #"{"cacheScope":"public","a":1,"ttlMs":-5,"resultType":null}"#,
                #"{"cacheScope":"private","a":1,"ttlMs":0,"resultType":"complete"}"#
            ),
            (
                "tools/list", #"{"ttlMs":99,"tools":[]}"#,
                #"{"resultType":"complete","cacheScope":"private","ttlMs":0,"tools":[]}"#
            ),
            ("tools/call", "null", "null"), ("tools/call", "[1]", "[1]"),
        ])
    func completing(method: String, result: String, expected: String) throws {
        let message = try response(result)
        #expect(try ResultTranslation.toModern(message, method: method).result(message) == expected)
    }

    @Test("names the server where the result does not do so itself")
    func serverInfo() throws {
        let info = ByteBuffer(string: #"{"name":"s","version":"1"}"#)
        let bare = try response(#"{"content":[]}"#)
        #expect(
            try ResultTranslation.toModern(bare, method: "tools/call", serverInfo: info).result(bare)
                == #"{"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}},"#
                + #""content":[]}"#)
        let name = #""io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}"#
        for (meta, expected) in [
            (#"{"a":1}"#, "{\(name),\"a\":1}"), ("{ }", "{\(name) }"), ("7", "7"),
            (#"{"io.modelcontextprotocol/serverInfo":{}}"#, #"{"io.modelcontextprotocol/serverInfo":{}}"#),
        ] {
            let own = try response(#"{"_meta":\#(meta),"content":[]}"#)
            #expect(
                try ResultTranslation.toModern(own, method: "tools/call", serverInfo: info).result(own)
                    == #"{"resultType":"complete","_meta":\#(expected),"content":[]}"#)
        }
    }

    @Test(
        "takes from a modern result what no legacy one has, wherever it stands",
        arguments: [
            (#"{"resultType":"complete","content":[]}"#, #"{"content":[]}"#),
            (#"{"content":[] , "resultType":"complete"}"#, #"{"content":[] }"#),
            (#"{"content":[] ,"resultType":"complete" }"#, #"{"content":[]  }"#),
            (#"{"resultType":"complete"}"#, "{}"), (#"{ "resultType" : "complete" }"#, "{  }"),
            (#"{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[]}"#, #"{"tools":[]}"#),
            (#"{"tools":[],"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#, #"{"tools":[]}"#),
            (#"{"ttlMs":1,"a":1,"cacheScope":"x","b":2,"resultType":"complete"}"#, #"{"a":1,"b":2}"#),
            (#"{"a":1,"ttlMs":1,"b":2,"cacheScope":"x","resultType":"complete"}"#, #"{"a":1,"b":2}"#),
            (#"{"ttlMs":1,"cacheScope":"private","resultType":"complete"}"#, "{}"),
            (#"{"a":"resultType","result\u0054ype" : "complete" ,"b":1.00}"#, #"{"a":"resultType","b":1.00}"#),
            (#"{"a":{"ttlMs":1}}"#, #"{"a":{"ttlMs":1}}"#), ("{}", "{}"), ("null", "null"),
        ])
    func dropping(result: String, expected: String) throws {
        let message = try response(result)
        let splices = ResultTranslation.toLegacy(message)
        #expect(try splices.result(message) == expected)
        // Translated back it says what it said, but for the order.
        let legacy = try scanned(splices.text(message))
        #expect(try ResultTranslation.toLegacy(legacy).result(legacy) == expected)
    }

    @Test("takes more changes than a spliced message does, in any order")
    func manyChanges() throws {
        let message = try response(#"{"ttlMs":1,"tools":[1,2],"cacheScope":"x","b":2,"resultType":"complete"}"#)
        var splices = Splices()
        splices.replace(message.scan[.resultTools], with: ByteBuffer(string: "[2]"))
        splices.append(ResultTranslation.toLegacy(message))
        splices.replace(message.scan[.id], with: Lexeme(integer: 12_345))
        #expect(splices.list.count > SplicedMessage.maxReplacementCount)
        #expect(try splices.text(message) == #"{"jsonrpc":"2.0","id":12345,"result":{"tools":[2],"b":2}}"#)
    }

    @Test(
        "tells what a result is",
        arguments: [
            ("{}", .complete), (#"{"resultType":"complete"}"#, .complete),
            (#"{"resultType":"input_required"}"#, .inputRequired),
            (#"{"resultType":"input\u005frequired"}"#, .inputRequired),
            (#"{"resultType":"task"}"#, .other), (#"{"resultType":null}"#, .other), (#"{"resultType":1}"#, .other),
            (#"{"resultType":"Complete"}"#, .other), (#"{"x":{"resultType":"input_required"}}"#, .complete),
        ] as [(String, ResultTranslation.Kind)])
    func kind(result: String, expected: ResultTranslation.Kind) throws {
        #expect(ResultTranslation.kind(of: try response(result)) == expected)
    }

    @Test(
        "gives codes that no modern server may send one that exists",
        arguments: [
            ("-32002", "-32602"), ("-32002.0", "-32602"), ("-32042", "-32603"), ("-32602", "-32602"),
            ("-32000", "-32000"), ("1", "1"), ("\"-32002\"", "\"-32002\""),
        ])
    func errors(code: String, expected: String) throws {
        let message = try scanned(
            #"{"jsonrpc":"2.0","id":1,"error":{"code":\#(code),"message":"m","data":{"uri":"x"}}}"#)
        #expect(
            try ErrorTranslation.toModern(message).text(message)
                == #"{"jsonrpc":"2.0","id":1,"error":{"code":\#(expected),"message":"m","data":{"uri":"x"}}}"#)
    }
}
