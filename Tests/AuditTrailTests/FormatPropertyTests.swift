import GatewayConfiguration
import GatewayEvents
import NIOCore
import Testing

@testable import AuditTrail

@Suite("hostile text in every format")
struct FormatPropertyTests {
    /// Besides what ``JSONValue`` rolls: what only these formats give a meaning.
    private static let pieces = [
        ",", ";", "|", "\t", "'", "\"", "=", "+1", "-", "@SUM(A1)", " - ", " | ", "] ", "[TOOL OK] ",
        " STATUS=ALLOWED ",
        "{", "}", "\\", "\\n", "\r\n", "\n", " ", "ALLOWED", "\u{1b}[2K", "\u{202e}", "é", "",
    ]

    private static func text(_ dice: inout Dice) -> String {
        let own = (0..<Int.random(in: 0...6, using: &dice)).map { _ in pieces.randomElement(using: &dice) ?? "" }
        return own.joined() + (Bool.random(using: &dice) ? JSONValue.randomText(&dice) : "")
    }

    private struct Hostile {
        let texts: [String]
        let session: SessionIdentity
        let call: AuditEvent.Call
        let outcome: AuditEvent.Outcome
        /// The first line that holds anything.
        var message: String {
            let lines = texts[7].unicodeScalars.split { $0 == "\n" || $0 == "\r" }
            return lines.first.map { String($0) } ?? ""
        }

        init(_ seed: UInt64) {
            var dice = Dice(seed: seed)
            let texts = (0..<8).map { _ in FormatPropertyTests.text(&dice) }
            self.texts = texts
            session = SessionIdentity(
                sessionID: "0011223344556677", transport: "unix", peer: texts[1], clientName: texts[2],
                clientVersion: texts[3])
            call = AuditEvent.Call(requestID: texts[4], method: texts[5], tool: texts[6])
            outcome = AuditEvent.Outcome(
                duration: 0, failure: AuditEvent.Failure(code: nil, message: texts[7]))
        }
    }

    @Test("csv rows read back to the same cells in every dialect", arguments: 0..<120)
    func csv(seed: UInt64) throws {
        let hostile = Hostile(seed)
        var dice = Dice(seed: seed &+ 1_000_000)
        let delimiter = try #require(CSVSettings.Delimiter.allCases.randomElement(using: &dice))
        let style = try #require(CSVSettings.QuoteStyle.allCases.randomElement(using: &dice))
        let quote = try #require(["\"", "'"].randomElement(using: &dice))
        let escape = [nil, "\\", "^"].randomElement(using: &dice) ?? nil
        let scene = FormatScene(.csv, name: hostile.texts[0], session: hostile.session) {
            $0.csv.delimiter = delimiter
            $0.csv.quoteStyle = style
            $0.csv.quoteCharacter = quote
            $0.csv.escapeCharacter = escape
            $0.csv.extendedColumns = true
        }
        func cells(_ line: String) throws -> [String] {
            let raw = try #require(
                FormatReader.cells(
                    line, delimiter: delimiter == .tab ? "\t" : Character(delimiter.rawValue),
                    quote: style == .none && escape == nil ? nil : Character(quote),
                    escape: escape.map { Character($0) }),
                "\(line)")
            #expect(raw.count == 20, "\(line)")
            return try raw.map { cell in
                #expect(!["=", "+", "-", "@", "\t", "\r"].contains(cell.first), "a formula: \(line)")
                let text = try #require(FormatReader.unescaped(cell), "\(line)")
                let isGuarded = text.first == "'" && ["=", "+", "-", "@"].contains(text.dropFirst().first)
                return isGuarded ? String(text.dropFirst()) : text
            }
        }
        func same(_ cell: String, _ text: String) -> Bool {
            // The guard can not be told from a text that begins like it.
            cell == text || "'" + cell == text
        }
        let request = try cells(scene.line(.request(hostile.call, plugin: nil)))
        for (column, index) in [(2, 5), (3, 6), (5, 4), (9, 0), (11, 2), (12, 3), (13, 1)] {
            #expect(same(request[column], hostile.texts[index]), "column \(column)")
        }
        #expect(request[1] == "REQUEST" && request[4] == "ALLOWED" && request[16] == "2")
        let response = try cells(scene.line(.response(hostile.call, hostile.outcome)))
        #expect(same(response[7], hostile.message))
    }

    @Test("debug records read back to the same values", arguments: 0..<60)
    func debug(seed: UInt64) throws {
        let hostile = Hostile(seed)
        let scene = FormatScene(.debug, name: hostile.texts[0], session: hostile.session)
        let request = scene.line(.request(hostile.call, plugin: hostile.texts[0]))
        let pairs = try #require(FormatReader.pairs(request), "\(request)")
        #expect(
            pairs.map(\.key) == [
                "REQUEST_ID", "SOURCE", "EVENT", "METHOD", "SECURITY_CHECKS", "SERVER_NAME", "SESSION_ID",
                "CLIENT_NAME", "CLIENT_VERSION", "PEER", "CONFIG", "RUN", "SEQ",
            ])
        let values = Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        #expect(values["REQUEST_ID"] == hostile.texts[4] && values["METHOD"] == hostile.texts[5])
        #expect(values["SERVER_NAME"] == hostile.texts[0] && values["PEER"] == hostile.texts[1])
        #expect(values["CLIENT_NAME"] == hostile.texts[2] && values["CLIENT_VERSION"] == hostile.texts[3])
        #expect(
            JSONValue.parse(values["SECURITY_CHECKS"] ?? "") == .array([.text(hostile.texts[0] + ":ALLOWED")]))
        let response = scene.line(.response(hostile.call, hostile.outcome))
        let message = try #require(FormatReader.pairs(response), "\(response)").first { $0.key == "ERROR_MESSAGE" }
        #expect(message?.value == hostile.message)
    }

    @Test("lines read back to the same fields", arguments: 0..<60)
    func line(seed: UInt64) throws {
        let hostile = Hostile(seed)
        let scene = FormatScene(.line, session: hostile.session)
        let request = scene.line(.request(hostile.call, plugin: nil))
        let start = "2024-06-16 10:30:15 UTC - "
        try #require(request.hasPrefix(start + "REQUEST: "), "\(request)")
        let method = try #require(FormatReader.word(request.dropFirst(start.count + 9)), "\(request)")
        #expect(method.value == hostile.texts[5])
        let tool = try #require(FormatReader.word(method.rest.dropFirst(3)), "\(request)")
        #expect(tool.value == hostile.texts[6])
        #expect(method.rest.hasPrefix(" - ") && tool.rest == " - ALLOWED")
        let response = scene.line(.response(hostile.call, hostile.outcome))
        try #require(response.hasPrefix(start + "RESPONSE: error - "), "\(response)")
        #expect(FormatReader.unescaped(String(response.dropFirst(start.count + 18))) == hostile.message)
    }

    @Test("the tool-call log's lines read back, and only it begins a line with [TOOL", arguments: 0..<60)
    func tool(seed: UInt64) throws {
        let hostile = Hostile(seed)
        let scene = FormatScene(.tool, session: hostile.session)
        let call = Scene.call("1", tool: hostile.texts[6], params: #"{"arguments":{}}"#)
        let request = scene.line(.request(call, plugin: nil))
        try #require(request.hasPrefix("[TOOL CALL] "))
        let name = try #require(FormatReader.word(request.dropFirst(12)), "\(request)")
        #expect(name.value == hostile.texts[6] && name.rest == " | args: {}")
        let response = scene.line(.response(call, hostile.outcome))
        let subject = try #require(FormatReader.word(response.dropFirst(11)), "\(response)")
        #expect(response.hasPrefix("[TOOL ERR] ") && subject.value == hostile.texts[6])
        try #require(subject.rest.hasPrefix(" | 0ms | ToolError: "), "\(response)")
        let shown = FormatReader.unescaped(String(subject.rest.dropFirst(20)))
        #expect(shown == (hostile.message.isEmpty ? "no message" : hostile.message))
        #expect(!scene.line(.request(hostile.call, plugin: nil)).hasPrefix("[TOOL "))
        #expect(
            !scene.line(.configReload(Scene.outcome(refused: "\n[TOOL OK] " + hostile.texts[0]), formerHash: "a"))
                .contains("\n"))
    }

    @Test("arguments read back as they came, without what is hidden", arguments: 0..<60)
    func arguments(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let value = JSONValue.object([
            JSONValue.Member(name: "first", value: JSONValue.random(&dice, depth: 0)),
            JSONValue.Member(name: "my_key", value: .text("PLANTED")),
        ])
        let call = Scene.call("1", tool: "x", params: #"{"name":"x","arguments":\#(value.text(&dice))}"#)
        let debug = FormatScene(.debug) { $0.maxBodySize = 1 << 20 }.line(.request(call, plugin: nil))
        let params = try #require(FormatReader.pairs(debug), "\(debug)").first { $0.key == "PARAMS" }
        #expect(JSONValue.parse(params?.value ?? "") == value.hidden)
        let tool = FormatScene(.tool) { $0.maxBodySize = 1 << 20 }.line(.request(call, plugin: nil))
        #expect(tool.hasPrefix("[TOOL CALL] x | args: {first: "))
        #expect(!tool.contains("PLANTED") && tool.hasSuffix(#"my_key: "***REDACTED***"}"#))
        let csv = FormatScene(.csv) {
            $0.mode = .tools
            $0.maxBodySize = 1 << 20
            $0.csv.extendedColumns = true
        }
        let cells = try #require(FormatReader.cells(csv.line(.request(call, plugin: nil))))
        #expect(JSONValue.parse(cells[18]) == value.hidden)
    }

    @Test(
        "no record is larger than what the reserve counts on",
        arguments: FileAuditingSettings.Format.allCases,
        ["x", "\u{1}", "ö", "\u{202E}", "\"", "😀", ",", "\\", " "])
    func largest(format: FileAuditingSettings.Format, piece: String) throws {
        let long = String(repeating: piece, count: 5000)
        let session = SessionIdentity(
            sessionID: long, transport: long, peer: long, clientName: long, clientVersion: long)
        var dice = Dice(seed: 1)
        let arguments = JSONValue.object([JSONValue.Member(name: "a", value: .text(long))]).text(&dice)
        let params = ByteBuffer(string: #"{"arguments": \#(arguments)}"#)
        for style in CSVSettings.QuoteStyle.allCases {
            for mode in FileAuditingSettings.Mode.allCases {
                for method in [long, "tools/call"] {
                    let scene = FormatScene(format, name: long, session: session) {
                        $0.mode = mode
                        $0.includeRequestBody = true
                        $0.includeResponseBody = true
                        $0.maxBodySize = 2000
                        $0.timestampPrecision = .microseconds
                        $0.timestampPrefix = true
                        $0.csv.quoteStyle = style
                        $0.csv.extendedColumns = true
                    }
                    let call = AuditEvent.Call(requestID: long, method: method, tool: long, params: params)
                    let outcome = AuditEvent.Outcome(
                        duration: .max, failure: AuditEvent.Failure(code: .min, message: long, reason: long),
                        result: params)
                    let encoder = scene.encoder
                    #expect(
                        scene.bytes(.request(call, plugin: long), seq: .max).count <= encoder.largestRequest,
                        "\(style) \(mode)")
                    #expect(
                        scene.bytes(.response(call, outcome), seq: .max).count <= encoder.largestAnswer,
                        "\(style) \(mode)")
                    let gap = SinkNotice.Gap(first: .max, last: .max, count: .max, reason: long)
                    #expect(scene.line(.gap(gap)).utf8.count < encoder.largestGap, "\(style) \(mode)")
                }
            }
        }
    }
}
