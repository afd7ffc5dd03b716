import JSONRPCWire
import NIOCore
import Testing

@testable import struct JSONRPCWire.KnownName
@testable import enum JSONRPCWire.Level
@testable import enum JSONRPCWire.MemberNames

/// What two decoders could read in two ways.
@Suite("Member names")
struct MemberNameTests {
    /// A message whose object at `level` has these members.
    static func message(_ level: Level, _ members: String) -> String {
        switch level {
        case .envelope: #"{"jsonrpc":"2.0","id":7,"method":"m",\#(members)}"#
        case .params: #"{"jsonrpc":"2.0","id":7,"method":"m","params":{\#(members)}}"#
        case .meta: #"{"jsonrpc":"2.0","id":7,"method":"m","params":{"_meta":{\#(members)}}}"#
        case .result: #"{"jsonrpc":"2.0","id":7,"result":{\#(members)}}"#
        case .error: #"{"jsonrpc":"2.0","id":7,"error":{\#(members)}}"#
        }
    }

    @Test("refuses a repeated name at each level, however it is spelled", arguments: Level.allCases)
    func duplicates(_ level: Level) throws {
        let pairs = [
            (#""x""#, #""x""#), (#""""#, #""""#), (#""x""#, #""\u0078""#), (#""\u0078""#, #""x""#),
            (#""\u0078""#, #""\u0078""#), (#""é""#, #""\u00E9""#), (#""é""#, #""é""#), (#""😀""#, #""\ud83d\uDE00""#),
            (#""\n""#, #""\u000a""#), (#""a/b""#, #""a\/b""#), (#""a\"b""#, #""a\u0022b""#),
            (#""a-longer-name-than-a-word""#, #""a-longer-name-than-\u0061-word""#),
        ]
        for (first, second) in pairs {
            let bytes = buffer(Self.message(level, "\(first):1,\"y\":2,\(second):3"))
            let rejection = try rejected(bytes)
            #expect(rejection.code == -32600)
            #expect(rejection.reason == "duplicate member in \(level.title)")
            #expect(text(rejection.id, of: bytes) == "7")
            #expect(rejection.isResponse == (level == .result || level == .error))
        }
    }

    @Test("takes names that merely resemble each other", arguments: Level.allCases)
    func distinct(_ level: Level) throws {
        let names = [
            "x", "X", "xx", " x", "x ", "é", "e\u{301}", "\\u0000", "", "\\\\u0078", "a\\nb", "aan", "xxxxxxxx",
            "xxxxxxxxx",
            "xxxxxxxxX", "😀", "\\ud83d\\ude01", "_", "\u{7F}", "`", "@", "i", "m", "ids", "i-d", "param", "resul",
        ]
        _ = try scanned(Self.message(level, names.map { "\"\($0)\":{}" }.joined(separator: ",")))
    }

    @Test("refuses every protocol name that is repeated or differs by case only", arguments: Level.allCases)
    func knownNames(_ level: Level) throws {
        for name in MemberNames.names(of: level) {
            let escaped = name.text.utf8.map { "\\u00" + String($0, radix: 16) }.joined()
            let capital = "\(name.text.prefix(1).uppercased())\(name.text.dropFirst())"
            let lower = name.text.lowercased()
            let isInTemplate = level == .envelope && ["jsonrpc", "id", "method"].contains(name.text)
            if !isInTemplate {
                for second in [name.text, escaped] {
                    let rejection = try rejected(
                        buffer(Self.message(level, "\"\(name.text)\":{},\"\(second)\":{}")))
                    #expect(rejection.reason == "duplicate member \"\(name.text)\" in \(level.title)")
                }
            }
            for alike in [capital, lower, name.text.uppercased()] where alike != name.text {
                let bytes = buffer(Self.message(level, "\"\(alike)\":{}"))
                let rejection = try rejected(bytes)
                #expect(rejection.code == -32600)
                #expect(
                    rejection.reason == "a member of \(level.title) differs from \"\(name.text)\" by letter case only")
                #expect(text(rejection.id, of: bytes) == (name.text == "id" ? nil : "7"))
            }
        }
    }

    @Test(
        "folds the two letters that lenient decoders fold beyond ASCII, raw or escaped",
        arguments: [
            (Level.params, "argument\u{17F}", "arguments"), (.params, "argument\\u017f", "arguments"),
            (.params, "\\u0041RGUMENT\u{17F}", "arguments"),
            (.meta, "progre\u{17F}\u{17F}To\u{212A}en", "progressToken"),
            (.meta, "progressTo\\u212aen", "progressToken"), (.envelope, "param\u{17F}", "params"),
            (.envelope, "j\u{17F}onrpc", "jsonrpc"), (.params, "ta\u{17F}\\u212A", "task"),
            (.params, "\\u006eame\\u0020", ""), (.params, "nam\u{E9}", ""), (.params, "\u{130}d", ""),
            (.meta, "io.modelcontextprotocol/cl\\u0049entInfo", "io.modelcontextprotocol/clientInfo"),
            (.meta, "io.modelContextprotocol/clientInfo", "io.modelcontextprotocol/clientInfo"),
            (.meta, "io.modelcontextprotocal/clientInfo", ""), (.meta, "io_modelcontextprotocol/clientInfo", ""),
        ])
    func folding(_ level: Level, _ name: String, _ alike: String) throws {
        let line = Self.message(level, "\"\(name)\":1")
        guard !alike.isEmpty else {
            _ = try scanned(line)
            return
        }
        let reason = try rejected(buffer(line)).reason
        #expect(reason == "a member of \(level.title) differs from \"\(alike)\" by letter case only")
    }

    @Test("refuses a name with a lone surrogate where names matter", arguments: Level.allCases)
    func surrogates(_ level: Level) throws {
        for name in ["\\ud800", "a\\udc00", "\\ud800\\ud800", "\\ud800x", "\\udc00\\ud800", "\\ud800\\n"] {
            let reason = try rejected(buffer(Self.message(level, "\"\(name)\":1"))).reason
            #expect(reason == "a member name in \(level.title) has a lone surrogate")
        }
    }

    @Test("leaves the names of deeper objects alone")
    func deeper() throws {
        _ = try scanned(Self.message(.params, #""arguments":{"a":1,"a":2,"Name":3,"\ud800":4}"#))
        _ = try scanned(Self.message(.result, #""_meta":{"a":1,"a":2},"content":[{"Type":1,"Type":2}]"#))
        _ = try scanned(Self.message(.error, #""data":{"a":1,"a":2}"#))
        _ = try scanned(Self.message(.envelope, #""x":{"id":1,"id":2}"#))
    }

    @Test("withholds the id when readers could disagree about it")
    func ambiguousID() throws {
        for members in [#""id":8"#, #""Id":8"#, #""\u0069d":8"#, #""ID":8,"ID":9"#] {
            #expect(try !rejected(buffer(Self.message(.envelope, members))).id.isPresent)
        }
    }

    @Test("reads an escaped name as the name that it is")
    func escapedName() throws {
        let message = try scanned(Self.message(.params, #""\u006e\u0061me":"tool""#))
        #expect(text(message.scan[.paramsName], of: message.bytes) == "\"tool\"")
    }

    @Test("finds the one repeated name among many, at any place", arguments: [15, 16, 17, 18, 40, 3_000])
    func many(_ count: Int) throws {
        let names = (0..<count).map { "\"member-\($0)\":\($0)" }
        _ = try scanned(Self.message(.params, names.joined(separator: ",")))
        for repeated in Set([0, 1, 14, count / 2, count - 1]) {
            for spelling in ["member-\(repeated)", "\\u006dember-\(repeated)"] {
                let line = Self.message(.params, (names + ["\"\(spelling)\":0"]).joined(separator: ","))
                #expect(try rejected(buffer(line)).reason == "duplicate member in params")
            }
        }
    }

    @Test("keeps the names of nested levels apart")
    func nested() throws {
        let outer = (0..<12).map { "\"x\($0)\":0" }.joined(separator: ",")
        _ = try scanned(
            #"{"jsonrpc":"2.0","method":"m",\#(outer),"params":{\#(outer),"_meta":{\#(outer)},"z":1},"z":1}"#)
        let reason = try rejected(
            buffer(#"{"jsonrpc":"2.0","method":"m",\#(outer),"params":{\#(outer),"_meta":{\#(outer)}},"x3":1}"#)
        ).reason
        #expect(reason == "duplicate member in the message")
    }

    @Test("compares long names in full")
    func long() throws {
        let name = String(repeating: "n", count: 5_000)
        _ = try scanned(Self.message(.params, "\"\(name)\":1,\"\(name)n\":2,\"m\(name)\":3"))
        let line = Self.message(.params, "\"\(name)\":1,\"x\":2,\"\(name)\":3")
        #expect(try rejected(buffer(line)).reason == "duplicate member in params")
    }
}
