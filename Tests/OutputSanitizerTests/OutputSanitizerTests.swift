import JSONRPCWire
import NIOCore
import Testing

@testable import OutputSanitizer

@Suite("OutputSanitizer")
struct OutputSanitizerTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var input: String
        /// The same as the input unless given.
        var output: String?

        init(_ description: String, _ input: String, _ output: String? = nil) {
            testDescription = description
            self.input = input
            self.output = output
        }
    }

    @Test(
        "the strings that a reader sees are sanitised, and every other byte stays",
        arguments: [
            Case(
                "text of a block", #""result":{"content":[{"type":"text","text":"<b>a</b>"}]}"#,
                #""result":{"content":[{"type":"text","text":"a"}]}"#),
            Case(
                "several blocks, with the white space between them",
                #""result" : { "content" : [ { "text" : "<b>" } , "<b>" , [ "<b>" ] , { "text" : "<i>x" } ] , "n":1.0E+2 }"#,
                #""result" : { "content" : [ { "text" : "" } , "<b>" , [ "<b>" ] , { "text" : "x" } ] , "n":1.0E+2 }"#
            ),
            Case(
                "text of an embedded resource",
                #""result":{"content":[{"resource":{"uri":"<b>","text":"<b>x","blob":"<b>"},"type":"resource"}]}"#,
                #""result":{"content":[{"resource":{"uri":"<b>","text":"x","blob":"<b>"},"type":"resource"}]}"#),
            Case(
                "title and description of a resource link, in whatever order",
                #""result":{"content":[{"title":"<b>t","type":"resource_link","text":"<b>","description":"<i>d","uri":"<"}]}"#,
                #""result":{"content":[{"title":"t","type":"resource_link","text":"","description":"d","uri":"<"}]}"#
            ),
            Case(
                "title and description of anything else",
                #""result":{"content":[{"type":"image","data":"PGI+","title":"<b>","description":"<b>","a":"<b>"}]}"#
            ),
            Case(
                "names with escapes, in another case, and twice",
                #""result":{"content":[{"te\u0078t":"<b>1","TEXT":"<b>","text":"<b>","re\u017fource":{"Text":"<b>"}}]}"#,
                #""result":{"content":[{"te\u0078t":"1","TEXT":"","text":"","re\u017fource":{"Text":""}}]}"#),
            Case(
                "a link by any of its types, with a name that folds",
                #""result":{"content":[{"type":"x","Type":"resource\u005flink","deſcription":"<b>d"}]}"#,
                #""result":{"content":[{"type":"x","Type":"resource\u005flink","deſcription":"d"}]}"#),
            Case(
                "all strings of structured content, but no name",
                #""result":{"structuredContent":{"<b>":"<b>1","a":[{"<i>":"<b>"},-0.0,true,["<b>"]]},"content":[]}"#,
                #""result":{"structuredContent":{"<b>":"1","a":[{"<i>":""},-0.0,true,[""]]},"content":[]}"#),
            Case(
                "structured content that is a string",
                #""result":{"structuredContent":"<b>x","content":[]}"#,
                #""result":{"structuredContent":"x","content":[]}"#),
            Case(
                "content behind structured content",
                #""result":{"structuredContent":{"a":"<b>1"},"isError":true,"content":[{"text":"<b>2"}]}"#,
                #""result":{"structuredContent":{"a":"1"},"isError":true,"content":[{"text":"2"}]}"#),
            Case(
                "members that are not named",
                #""result":{"_meta":{"a":"<b>"},"content":[{"type":"text","annotations":{"text":"<"},"x":"<b>"}],"y":"<b>"}"#
            ),
            Case("content that is no array", #""result":{"content":{"text":"<b>"}}"#),
            Case(
                "text that is no string",
                #""result":{"content":[{"text":["<b>"]},{"text":{"text":"<b>"}},{"resource":"<b>"}]}"#),
            Case("a result that is no object", #""result":"<b>""#),
            Case(
                "message and data of an error",
                #""error":{"code":-1,"message":"<b>m","data":{"<b>":["<b>d",1]},"other":"<b>"}"#,
                #""error":{"code":-1,"message":"m","data":{"<b>":["d",1]},"other":"<b>"}"#),
        ])
    func places(_ test: Case) throws {
        #expect(try sanitized(test.input) == test.output ?? test.input)
        let output = test.output ?? test.input
        #expect(try sanitized(output) == output)
    }

    @Test("what is kept keeps its spelling, also in a string that changes")
    func spelling() throws {
        #expect(
            try sanitizedString(#"caf\u00e9 \u003cb\u003e\/\"<b\/>\ud83d\ude00<\u0070>\t\\n\u000a&\u00A0!"#)
                == #"caf\u00e9 \/\"\ud83d\ude00\n\t\\n\u000a& !"#)
    }

    @Test("requests and notifications are left alone", arguments: [#","id":1"#, ""])
    func requests(_ id: String) throws {
        let message = try scanned(#"{"jsonrpc":"2.0","method":"m","params":{"content":[{"text":"<b>"}]}\#(id)}"#.utf8)
        #expect(OutputSanitizer().sanitize(message) == nil)
    }

    @Test("data of an error is sanitised 32 containers deep")
    func depth() throws {
        func error(_ depth: Int, _ string: String) -> String {
            let open = String(repeating: "[", count: depth)
            let close = String(repeating: "]", count: depth)
            return #""error":{"code":1,"message":"","data":\#(open)"\#(string)"\#(close)}"#
        }
        #expect(try sanitized(error(32, "<b>x")) == error(32, "x"))
        #expect(try sanitized(error(33, "<b>x")) == error(33, "<b>x"))
    }

    @Test("each stage counts what it took out")
    func counts() throws {
        let message = try response(
            #""result":{"content":[{"text":"a\u200b\u00a0\ufeff<b>c</b>![d](e)[f](g)\n```system\n```user\n"}]}"#)
        let removed = try #require(OutputSanitizer().sanitize(message)).removed
        #expect((removed.invisible, removed.markup, removed.codeFences) == (3, 4, 2))
        #expect(removed.total == 9)
    }

    @Test("a response with nothing to take out is not rewritten")
    func clean() throws {
        let message = try response(#""result":{"content":[{"text":"a < b [c] `d` ~~~ {\"e\": \"\\n\"}"}],"x":"<b>"}"#)
        #expect(OutputSanitizer().sanitize(message) == nil)
        let dirty = try response(#""result":{"content":[{"text":"<b>"}]}"#)
        #expect(OutputSanitizer(SanitizerOptions(stages: [])).sanitize(dirty) == nil)
    }
}
