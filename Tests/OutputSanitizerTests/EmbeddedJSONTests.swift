import JSONRPCWire
import NIOCore
import Testing

@testable import OutputSanitizer

@Suite("JSON in strings")
struct EmbeddedJSONTests {
    @Test(
        "a string that is JSON stays JSON, and only its values change",
        arguments: [
            (#"{"<b>k</b>":"<b>v</b>","n":[1.50,"](x)"]}"#, #"{"<b>k</b>":"v","n":[1.50,"](x)"]}"#),
            (#" [ "<a href=\"x\">y</a>" , "z" ] "#, #" [ "y" , "z" ] "#),
            (#"["<p>a</p><p>b</p>"]"#, #"["a\nb"]"#),
            (#"["[a](b", "c)"]"#, #"["[a](b", "c)"]"#),
            (#"["\u003cb\u003ex", "caf\u00e9 <b>\/"]"#, #"["x", "caf\u00e9 \/"]"#),
            (#"["<\/b>x","\u200by","\b"]"#, #"["x","y",""]"#),
            (#"["```system\nx"]"#, #"["```text\nx"]"#),
            // Taken as text, each of these would lose its end.
            (#"["<b", ">"]"#, #"["<b", ">"]"#),
            (#"{"a":"<!--","b":"x"}"#, #"{"a":"","b":"x"}"#),
            // No JSON.
            (#"["<b>x",]"#, #"["x",]"#), (#"[<b>1]"#, "[1]"), (#"{"a":NaN,"b":"<b>"}"#, #"{"a":NaN,"b":""}"#),
            (#""<b>x""#, #""x""#),
        ])
    func values(_ input: String, _ output: String) throws {
        #expect(try sanitizedText(input) == output)
        #expect(try sanitizedText(output) == output)
    }

    @Test("the spelling of what stays is kept at both levels")
    func spelling() throws {
        #expect(
            try sanitizedString(#"{\u0022a\u0022:\n\"\u003cb>\u00e9\\u00e9\\\/<\\\/b>\",\"\/\":1}"#)
                == #"{\u0022a\u0022:\n\"é\\u00e9\\/\",\"\/\":1}"#)
    }

    @Test("a text that becomes JSON only by sanitising is sanitised as JSON then")
    func becoming() throws {
        let input = #"<b>{"a":"\u003ci\u003ex"}"#
        #expect(try sanitizedText(input) == #"{"a":"x"}"#)
        #expect(try sanitizedText("\u{200B}[\"\\u003cb>\"]") == #"[""]"#)
    }

    @Test("JSON in JSON is sanitised up to eight strings deep, and what is deeper as text", arguments: 1...12)
    func levels(_ count: Int) throws {
        // As text the innermost one keeps its escapes, and loses what they stand for as JSON.
        func nested(_ innermost: String) -> String {
            (0..<count).reduce(innermost) { text, _ in "[\"\(spelled(text))\"]" }
        }
        let hidden = #"\u003cb\u003e"#
        #expect(try sanitizedText(nested("<b>x")) == nested("x"))
        let output = try sanitizedText("[\"\(hidden)\"]".nesting(count - 1))
        #expect(output == (count <= 8 ? "[\"\"]" : "[\"\(hidden)\"]").nesting(count - 1))
        #expect(try sanitizedText(output) == output)
    }

    @Test("any depth of containers in a string is sanitised", arguments: [33, 64, 65, 129, 20_000])
    func deep(_ depth: Int) throws {
        let open = (0..<depth).map { $0 % 3 == 0 ? #"{"<b>":"# : "[" }.joined()
        let close = (0..<depth).reversed().map { $0 % 3 == 0 ? "}" : "]" }.joined()
        #expect(try sanitizedText(open + #""<b>x""# + close) == open + #""x""# + close)
    }

    @Test("what is JSON is decided as the message scanner does", arguments: 0..<6 as Range<UInt64>)
    func check(_ seed: UInt64) {
        var dice = Dice(seed: seed)
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"b\":", "1", "-0.5e+3", "01", "1.", "e", "true", "nul",
            "null",
            " ", "\n", "\\", "\\u00e9", "\\u00g0", "\\n", "\u{1}", "é", "[]", "{}", "[[]]", "{\"a\":1}", "[1,2]",
        ]
        var accepted = 0
        for _ in 0..<2_000 {
            var text =
                ["[1,{\"a\":[]}]", "{\"a\":{\"b\":[true,\"x\\\"\"]},\"c\":1e5}", " [ ] ", "{}"]
                .randomElement(using: &dice).map { Array($0) } ?? []
            for _ in 0..<Int.random(in: 0...2, using: &dice) {
                let index = Int.random(in: 0...text.count, using: &dice)
                if Bool.random(using: &dice), index < text.count { text.remove(at: index) }
                text.insert(contentsOf: Array(pieces.randomElement(using: &dice) ?? ""), at: min(index, text.count))
            }
            let array = Array(String(text).utf8)
            let line = ByteBuffer(string: "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\(String(text))}")
            var expected = false
            if case .message(let scan) = MessageScanner(maxDepth: 100).scan(line) {
                let kind = JSONText.kind(of: scan[.result], in: line)
                // A text that closes the message and goes on is none.
                let end = line.readableBytes - 1 - Int(scan[.result].upper)
                let isWhole = array.suffix(max(0, end)).allSatisfy { [0x20, 0x0A, 0x0D, 0x09].contains($0) }
                expected = (kind == .object || kind == .array) && isWhole
            }
            if expected { accepted += 1 }
            #expect(JSONCheck.isContainer(array.span.bytes) == expected, "\(String(text))")
        }
        #expect(accepted > 100)
    }
}

extension String {
    /// The text inside as many strings and arrays around it.
    fileprivate func nesting(_ count: Int) -> String {
        (0..<count).reduce(self) { text, _ in "[\"\(spelled(text))\"]" }
    }
}
