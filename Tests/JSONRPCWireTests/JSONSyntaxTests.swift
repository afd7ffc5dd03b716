import JSONRPCWire
import NIOCore
import Testing

/// The grammar of values, tested at a place where the scanner looks at nothing but syntax.
@Suite("JSON syntax")
struct JSONSyntaxTests {
    static func outcome(_ value: some Sequence<UInt8>) -> ScanOutcome {
        let bytes = Array(#"{"jsonrpc":"2.0","method":"m","params":{"x":"#.utf8) + Array(value) + Array("}}".utf8)
        return MessageScanner.standard.scan(buffer(bytes))
    }

    @Test(
        "takes every value of RFC 8259",
        arguments: [
            "null", "true", "false", "0", "-0", "1", "-1", "10", "123456789012345678901234567890", "0.1", "-0.0",
            "1e0", "1E+2", "1e-2", "0e0", "-0E-0", "1.5e300", "20e1", "1e99999", "\"\"", "\"a\"", "\" \"",
            #""\"\\\/\b\f\n\r\t""#, #""\u0000\uD834\udd1e\u00e9""#, #""\uD800""#, #""\uDC00\uD800""#, "\"/\"",
            "\"\u{7F}\"", "\"\u{2028}\u{2029}\"", "\"\u{FEFF}\"", "\"\u{FFFF}\u{10FFFF}\"", "[]", "{}", "[[]]",
            "[{}]", "{\"\":{}}", "[1,2]", " [ 1 , 2 ] ", "\t{\r\n\"a\" : 1 ,\"b\":[ ] }\n", "[[],[[]],{}]",
            "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":{\"c\":[[[]]]}}}", "\"aaaaaaa\"", "\"aaaaaaaa\"", "\"aaaaaaaaa\"",
            "\"aaaaaaa\\n\"", "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\u0041é\"]", "[0,-0,0]", "[true,false,null]",
        ])
    func valid(_ value: String) {
        #expect(Self.outcome(value.utf8).message != nil)
    }

    @Test(
        "refuses everything else as a parse error",
        arguments: [
            "", " ", ",", ":", "nul", "nulll", "True", "TRUE", "truE", "fals", "nan", "NaN", "Infinity", "-Infinity",
            "+1", "01", "-01", "00", "1.", ".1", "-", "-.1", "1.e1", "1e", "1e+", "1e1.0", "0x1", "1_000", "1a",
            "- 1", "1 2", "1,", "0e", "1.2.3", "--1", "2.e3", "１", "\"", "\"a", "a\"", "'a'", "\"\\\"", "\"\\x\"",
            "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"\\U0041\"", "\"\\u+041\"", "\"\\'\"", "\"\\0\"", "\"\\", "\"\\u",
            "\"\u{0}\"", "\"\u{1}\"", "\"\n\"", "\"\t\"", "\"\u{1F}\"", "\"aaaaaaaa\u{1F}\"", "\"aaaaaaa\n\"", "[", "]",
            "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1;2]", "[}", "[1}", "{]", "{", "{\"a\"",
            "{\"a\":", "{\"a\":}", "{\"a\" 1}", "{\"a\":1,}", "{,\"a\":1}", "{\"a\":1 \"b\":2}", "{a:1}", "{'a':1}",
            "{1:1}", "{null:1}", "{\"a\":1,,\"b\":2}", "{\"a\",\"b\"}", "{\"a\"::1}", "{[]:1}", "[\"a\":1]",
            "/**/1", "1//", "[1]]", "{}}", "\u{FEFF}1", "\u{A0}1", "\u{0B}1", "\u{0C}1", "1\u{0}", "[\u{0}]", "\"a\"b",
            "undefined", "[\"a\"", "[[]", "{\"a\":[}", "\u{2028}1", "\\u0031", "\\n", "truefalse", "[true false]",
        ])
    func invalid(_ value: String) {
        #expect(Self.outcome(value.utf8).rejection?.code == -32700)
    }

    @Test(
        "refuses ill-formed UTF-8 at its offset",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xC2, 0xC2], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xE1, 0x80], [0xE1, 0x80, 0x41], [0xE1, 0x41, 0x80], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xEF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80],
            [0xF0, 0x90, 0x80, 0x41], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xF8, 0x88, 0x80, 0x80, 0x80],
            [0xFE], [0xFF], [0xED, 0xA0, 0x81, 0xED, 0xB0, 0x80],
        ] as [[UInt8]], 0...9)
    func illFormed(_ sequence: [UInt8], padding: Int) throws {
        let pad = [UInt8](repeating: UInt8(ascii: "x"), count: padding)
        let rejection = try #require(Self.outcome([0x22] + pad + sequence + pad + [0x22]).rejection)
        #expect(rejection.code == -32700)
        #expect(rejection.reason == "a string is not valid UTF-8")
    }

    @Test("agrees with the standard library on every sequence of two bytes, and on the borders of longer ones")
    func sequences() {
        let edges: [UInt8] = [0x00, 0x22, 0x5C, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        var sequences: [[UInt8]] = []
        for lead in UInt8(0x80)...0xFF {
            for second in UInt8(0x20)...0xFF { sequences.append([lead, second]) }
            for second in edges {
                for third in edges {
                    sequences.append([lead, second, third])
                    if lead >= 0xF0 { sequences += edges.map { [lead, second, third, $0] } }
                }
            }
        }
        for sequence in sequences where !sequence.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) {
            let isValid = String(validating: sequence, as: UTF8.self) != nil
            let isTaken = Self.outcome([0x22] + sequence + [0x22]).message != nil
            if isValid != isTaken { Issue.record("\(sequence) is valid: \(isValid)") }
        }
    }

    @Test("notices each special byte at every position of a word", arguments: 0...33)
    func positions(_ padding: Int) {
        let pad = [UInt8](repeating: UInt8(ascii: "~"), count: padding)
        for special in UInt8.min...UInt8.max {
            let isTaken = Self.outcome([0x22] + pad + [special] + pad + [0x22]).message != nil
            // A quote ends the string early; with nothing behind it that is the empty string and a stray quote.
            let isPlain = (0x20..<0x80).contains(special) && special != 0x22 && special != 0x5C
            if isTaken != isPlain { Issue.record("byte \(special) behind \(padding) bytes") }
        }
    }

    @Test(
        "takes a message up to the depth limit and refuses the next level, telling its id",
        arguments: [1, 2, 3, 64, 65, 66, 127, 128, 129, 500])
    func depth(_ limit: Int) throws {
        let scanner = MessageScanner(maxDepth: limit)
        func message(_ nesting: Int) -> ByteBuffer {
            let open = (1..<max(nesting, 1)).map { $0 % 2 == 1 ? "[" : "{\"k\":" }.joined()
            let close = (1..<max(nesting, 1)).reversed().map { $0 % 2 == 1 ? "]" : "}" }.joined()
            let value = nesting > 1 ? open + (nesting % 2 == 1 ? "\"v\"" : "") + close : "1"
            return buffer(#"{"jsonrpc":"2.0","method":"m","x":\#(value),"id":"a"}"#)
        }
        #expect(scanner.scan(message(limit)).message != nil)
        let deep = message(limit + 1)
        let rejection = try #require(scanner.scan(deep).rejection)
        #expect(rejection.code == -32600)
        #expect(rejection.reason == "nested deeper than the \(limit) levels that max_depth allows")
        #expect(text(rejection.id, of: deep) == "\"a\"")
    }

    @Test("survives a million open brackets", arguments: ["[", "{\"a\":", "{\"jsonrpc\":"])
    func bombs(_ open: String) throws {
        let rejection = try rejected(buffer(String(repeating: open, count: 1_000_000)))
        #expect(rejection.code == -32600)
        #expect(!rejection.id.isPresent)
    }
}
