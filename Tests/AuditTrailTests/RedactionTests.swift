import Testing

@testable import AuditTrail

private let hmac = String(repeating: "0f", count: 32)
private let nonce = "0123456789abcdef"

/// `body` as a record prints it.
func redacted(_ body: String, limit: Int = 10_240, extra: [String] = []) -> String {
    let out = LineBuffer()
    let redaction = Redaction(names: SensitiveNames(extra: extra))
    Array(body.utf8).withUnsafeBufferPointer { redaction.appendBody($0, limit: limit, to: out) }
    return String(decoding: out.bytes, as: UTF8.self)
}

@Suite("Redaction")
struct RedactionTests {
    @Test(
        "values under sensitive names are hidden, whatever their type and depth",
        arguments: [
            (#"{"path":"/a","n":1.50e3,"b":[true,null]}"#, #"{"path": "/a", "n": 1.50e3, "b": [true, null]}"#),
            (#"{"password":"x"}"#, #"{"password": "***REDACTED***"}"#),
            (#"{"my_api_token":{"a":[1,{"b":"}"}]},"z":0}"#, #"{"my_api_token": "***REDACTED***", "z": 0}"#),
            (
                #"{"ZSCALER_CLIENT_SECRET":null,"monkey":7}"#,
                #"{"ZSCALER_CLIENT_SECRET": "***REDACTED***", "monkey": "***REDACTED***"}"#
            ),
            (#"[[{"access_credential":[]}],{"a":{}}]"#, #"[[{"access_credential": "***REDACTED***"}], {"a": {}}]"#),
            (#"{"pass\u0077ord":"x"}"#, #"{"password": "***REDACTED***"}"#),
            (
                "{\"to\u{212A}en\":1,\"\u{17F}ecret\":2}",
                "{\"to\u{212A}en\": \"***REDACTED***\", \"\u{17F}ecret\": \"***REDACTED***\"}"
            ),
            (
                #"{"kwargs":"{\"confirmation_token\":\"t\",\"id\":5}"}"#,
                #"{"kwargs": "{\"confirmation_token\": \"***REDACTED***\", \"id\": 5}"}"#
            ),
            (#"{"kwargs":" [1,  2]"}"#, #"{"kwargs": " [1,  2]"}"#),
            (
                #"{"a":"{\"b\":\"{\\\"token\\\":1}\"}"}"#,
                #"{"a": "{\"b\": \"{\\\"token\\\": \\\"***REDACTED***\\\"}\"}"}"#
            ),
            (#"{"a":"{'token': 'x', 'b': 1"}"#, #"{"a": "{'token': ***REDACTED***, 'b': 1"}"#),
            (#"{"a":"{\"token\": 1, \"n\": NaN}"}"#, #"{"a": "{\"token\": \"***REDACTED***\", \"n\": NaN}"}"#),
            ("{\n \"a\" :\t\"x\u{7F}\u{9F}\u{2028}\u{202E}é\"\r}", #"{"a": "x\u007f\u009f\u2028\u202eé"}"#),
            (#"{"a":"\u0000\ud83d\ude00\ud800"}"#, "{\"a\": \"\\u0000😀\u{FFFD}\"}"),
            ("\"1718:\(nonce):\(hmac)\"", "\"\(nonce)\""),
            ("{\"a\":\"x 1718\\u003a\(nonce):\(hmac)f y\"}", "{\"a\": \"x \(nonce) y\"}"),
            ("{\"1718:\(nonce):\(hmac)\":1}", "{\"\(nonce)\": 1}"),
            ("{}", "{}"), ("[]", "[]"), ("-0.5", "-0.5"),
        ])
    func names(body: String, printed: String) {
        #expect(redacted(body) == printed)
    }

    @Test("names that the operator adds are hidden like the five, in any case")
    func extraNames() {
        #expect(
            redacted(#"{"SSN":1,"Ärger":2,"pin":3}"#, extra: ["ssn", "ärger"])
                == #"{"SSN": "***REDACTED***", "Ärger": "***REDACTED***", "pin": 3}"#)
    }

    @Test(
        "what is no JSON is printed as a string, with quoted secrets hidden",
        arguments: ["", "{", "{\"a\" 1}", "01", "[1,]", "nul", "{}x"])
    func invalid(body: String) {
        #expect(redacted(body) == "\"\(body.replacingQuotes())\"")
    }

    @Test("a body beyond its limit becomes a string with a mark, redacted before it is cut", arguments: 1...60)
    func cut(limit: Int) throws {
        let printed = redacted(#"{"token":"hunter2","text":"\#(String(repeating: "ö", count: 500))"}"#, limit: limit)
        #expect(printed.hasSuffix(#"… [cut]""#))
        let value = try #require(JSONValue.parse(printed)?.string)
        #expect(value.utf8.count <= limit + JSONText.cutMark.utf8CodeUnitCount)
        #expect(value.utf8.count > limit - 2 + JSONText.cutMark.utf8CodeUnitCount - 1)
        #expect(!value.contains("hunter2"))
    }

    @Test("a huge body costs no more than its limit")
    func hugeBody() {
        let body = "[\"" + String(repeating: "x", count: 4 << 20) + "\"]"
        #expect(redacted(body, limit: 100).utf8.count < 150)
    }

    @Test("nesting of any depth, also in strings, is no danger")
    func deepNesting() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(redacted(deep).hasSuffix(#"… [cut]""#))
        var wrapped = #"{"token":"hunter2"}"#
        for _ in 0..<12 {
            wrapped = "{\"a\":\"" + wrapped.replacingQuotes() + "\"}"
        }
        #expect(!redacted(wrapped, limit: 1 << 20).contains("hunter2"))
    }

    @Test(
        "an error's text loses the values that it quotes under such names",
        arguments: [
            ("plain text", "plain text"),
            (#"bad input {"password": "hunter2", "a": 1}"#, #"bad input {\"password\": ***REDACTED***, \"a\": 1}"#),
            ("got {'api_key': 'it\\'s', 'b': 'c'}", "got {'api_key': ***REDACTED***, 'b': 'c'}"),
            (#"in "{\"token\": \"abc\", \"x\": 1}""#, #"in \"{\\\"token\\\": ***REDACTED***, \\\"x\\\": 1}\""#),
            (#"{"credentials": {"a": [1, 2]}, "x": 2}"#, #"{\"credentials\": ***REDACTED***, \"x\": 2}"#),
            (#"{"secret": 12.5}"#, #"{\"secret\": ***REDACTED***}"#),
            ("login password=hunter2&user=me", "login password=***REDACTED***&user=me"),
            (#"{"token": "never closed"#, #"{\"token\": ***REDACTED***"#),
            ("KeyError: 'name'", "KeyError: 'name'"),
            ("\n\nfirst line\rsecond", "first line"),
            ("", ""),
            ("expired 99:\(nonce):\(hmac)", "expired \(nonce)"),
        ])
    func message(text: String, printed: String) {
        let out = LineBuffer()
        Redaction(names: SensitiveNames(extra: [])).appendMessage(text, limit: 1024, to: out)
        #expect(String(decoding: out.bytes, as: UTF8.self) == "\"\(printed)\"")
    }

    @Test("no planted secret survives, and the output is JSON with the same shown values", arguments: 0..<300)
    func property(seed: UInt64) throws {
        var random = Dice(seed: seed)
        let value = JSONValue.random(&random, depth: 0)
        let text = value.text(&random)
        let printed = redacted(text, limit: 1 << 20)
        #expect(!printed.contains("PLANTED"))
        let parsed = try #require(JSONValue.parse(printed), "\(text)")
        #expect(parsed == value.hidden, "\(text)")
    }

    @Test("cut or damaged JSON never shows a planted value as a record's own structure", arguments: 0..<200)
    func damaged(seed: UInt64) {
        var random = Dice(seed: seed)
        var bytes = Array(JSONValue.random(&random, depth: 0).text(&random).utf8)
        for _ in 0..<3 where !bytes.isEmpty {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        let out = LineBuffer()
        bytes.prefix(Int.random(in: 0...bytes.count, using: &random)).withUnsafeBufferPointer {
            Redaction(names: SensitiveNames(extra: [])).appendBody($0, limit: 200, to: out)
        }
        let printed = String(decoding: out.bytes, as: UTF8.self)
        #expect(JSONValue.parse(printed) != nil, "\(printed)")
        #expect(out.count <= 2 * 200 + 64)
    }
}

extension String {
    func replacingQuotes() -> String {
        var out = ""
        for character in self {
            if character == "\"" || character == "\\" { out.append("\\") }
            out.append(character)
        }
        return out
    }
}
