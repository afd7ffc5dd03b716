import JSONRPCWire
import NIOCore
import Testing

@Suite("JSON text")
struct JSONTextTests {
    /// Runs `body` on a value in the middle of other bytes.
    static func value<Result>(_ json: String, _ body: (ByteRange, ByteBuffer) -> Result) -> Result {
        let bytes = buffer("1,\(json),2")
        return body(ByteRange(2, 2 + json.utf8.count), bytes)
    }

    @Test(
        "names the kind of a value",
        arguments: [
            ("{}", .object), ("[1]", .array), ("\"\"", .string), ("0", .number), ("-1", .number), ("true", .true),
            ("false", .false), ("null", .null),
        ] as [(String, JSONKind)])
    func kinds(_ json: String, _ kind: JSONKind) {
        #expect(Self.value(json) { JSONText.kind(of: $0, in: $1) } == kind)
        #expect(Self.value(json) { JSONText.bool($0, in: $1) } == ["true": true, "false": false][json])
    }

    @Test("reads an absent range as null")
    func absent() {
        let bytes = buffer("{}")
        #expect(JSONText.kind(of: .absent, in: bytes) == .null)
        #expect(JSONText.string(.absent, in: bytes) == nil)
        #expect(JSONText.integer(.absent, in: bytes) == nil)
        #expect(JSONText.bool(.absent, in: bytes) == nil)
        #expect(!JSONText.equals(.absent, "", in: bytes))
        #expect(JSONText.member("a", of: .absent, in: bytes) == .absent)
    }

    @Test(
        "unescapes strings",
        arguments: [
            (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0000\u0041\u00e9\u20AC""#, "\0Aé€"), (#""\ud83d\ude00""#, "😀"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
            (#""é😀""#, "é😀"), (#""\\u0041""#, #"\u0041"#), (#""\ud800""#, nil), (#""\udc00""#, nil),
            (#""x\ud83dx""#, nil), (#""\ud83d\ud83d\ude00""#, nil), (#""\ud83d\u0041""#, nil),
            (#""\ude00\ud83d""#, nil), (#""\ud83d\\ude00""#, nil), ("12", nil), ("null", nil), ("[\"a\"]", nil),
        ] as [(String, String?)])
    func strings(_ json: String, _ expected: String?) {
        #expect(
            Self.value(json) { JSONText.string($0, in: $1) }.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    }

    @Test(
        "compares a string with a name after unescaping",
        arguments: [
            (#""ping""#, true), (#""\u0070ing""#, true), (#""\u0070\u0069\u006e\u0067""#, true), (#""pin""#, false),
            (#""pings""#, false), (#""Ping""#, false), (#""\u0050ing""#, false), (#""\u0070in""#, false),
            ("1234", false),
            (#""\ud800in""#, false), (#""pingping""#, false), (#""\\u0070i""#, false), ("null", false),
        ])
    func equality(_ json: String, _ isEqual: Bool) {
        #expect(Self.value(json) { JSONText.equals($0, "ping", in: $1) } == isEqual)
    }

    @Test(
        "reads exact integers in every spelling",
        arguments: [
            ("0", 0), ("-0", 0), ("0.0", 0), ("0e5", 0), ("7", 7), ("-7", -7), ("1.0", 1), ("1e2", 100), ("1.5e1", 15),
            ("100e-2", 1), ("0.001e3", 1), ("1E+18", 1_000_000_000_000_000_000), ("9223372036854775807", .max),
            ("-9223372036854775808", .min), ("9223372036854775807.000", .max), ("9223372036854775808", nil),
            ("-9223372036854775809", nil), ("1e19", nil), ("0.5", nil), ("1e-1", nil), ("1.00000000000000000001", nil),
            ("99999999999999999999", nil), ("1e999999999999999999999999", nil), ("1e-999999999999999999999999", nil),
            ("0e999999999999999999999999", 0), ("1e00000000000000000000001", 10), ("\"1\"", nil), ("true", nil),
            ("999999999999999999", 999_999_999_999_999_999), ("-999999999999999999", -999_999_999_999_999_999),
        ] as [(String, Int?)])
    func integers(_ json: String, _ expected: Int?) {
        #expect(Self.value(json) { JSONText.integer($0, in: $1) } == expected)
    }

    @Test("visits members and elements in order")
    func visits() {
        let object = #"{ "a" : 1 ,"\u0062":{"x":[]},"a":"z","\ud800":0 , "é":[1,2] }"#
        let members = Self.value(object) { range, bytes in
            var members: [String] = []
            JSONText.forEachMember(of: range, in: bytes) { members.append("\($0)=\(text($1, of: bytes) ?? "")") }
            return members
        }
        #expect(members == ["a=1", "b={\"x\":[]}", "a=\"z\"", "é=[1,2]"])

        let elements = Self.value(#"[ 1 ,"]",[2,[3]],{} , null ]"#) { range, bytes in
            var elements: [String] = []
            JSONText.forEachElement(of: range, in: bytes) { elements.append(text($0, of: bytes) ?? "") }
            return elements
        }
        #expect(elements == ["1", "\"]\"", "[2,[3]]", "{}", "null"])
    }

    @Test(
        "visits nothing in what is empty or of another kind",
        arguments: ["{}", "{ }", "[]", "[ \n]", "1", "\"{}\"", "null"])
    func visitsNothing(_ json: String) {
        Self.value(json) { range, bytes in
            JSONText.forEachMember(of: range, in: bytes) { name, _ in Issue.record("member \(name)") }
            JSONText.forEachElement(of: range, in: bytes) { _ in Issue.record("an element") }
            #expect(JSONText.member("a", of: range, in: bytes) == .absent)
        }
    }

    @Test("finds the first member of a name, compared byte by byte")
    func member() {
        let object = #"{"e\u0301":0,"b":{"a":8},"\u0061":1,"a":2,"é":3}"#
        Self.value(object) { range, bytes in
            #expect(text(JSONText.member("a", of: range, in: bytes), of: bytes) == "1")
            #expect(text(JSONText.member("b", of: range, in: bytes), of: bytes) == "{\"a\":8}")
            #expect(text(JSONText.member("é", of: range, in: bytes), of: bytes) == "3")
            #expect(text(JSONText.member("e\u{301}", of: range, in: bytes), of: bytes) == "0")
            #expect(JSONText.member("c", of: range, in: bytes) == .absent)
        }
    }

    @Test("quotes what RFC 8259 demands, so that every string comes back and no line is broken")
    func quoting() {
        let all = String(String.UnicodeScalarView((0..<0x250).compactMap(Unicode.Scalar.init)))
        for string in ["", "plain", "\"\\/\u{8}\t\n\u{C}\r\u{0}\u{1F}\u{7F}\u{2028}é😀", all] {
            var bytes = ByteBuffer()
            JSONText.appendQuoted(string, to: &bytes)
            #expect(!bytes.readableBytesView.contains { $0 < 0x20 })
            #expect(JSONText.string(ByteRange(0, bytes.readableBytes), in: bytes) == string)
        }
        var bytes = ByteBuffer()
        JSONText.appendQuoted("\"\\\n\u{1}\u{1F}/é", to: &bytes)
        #expect(String(buffer: bytes) == #""\"\\\n\u0001\u001f/é""#)
    }
}
