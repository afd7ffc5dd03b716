import JSONRPCWire
import NIOCore
import Testing

@Suite("Scanner against the oracle")
struct OracleTests {
    static let seeds = [
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":[1,2.5e3,null]}}}"#,
        #"{"jsonrpc":"2.0","method":"m","params":{"_meta":{"progressToken":"p\u0041","Trace":"é😀"},"uri":"u"}}"#,
        #"{"jsonrpc":"2.0","id":"\ud83d\ude00","result":{"tools":[{"name":"t"},{}],"nextCursor":"c"},"x":-0.0E+1}"#,
        #" { "jsonrpc" : "2.0" , "id" : null , "error" : { "code" : -32600 , "message" : "é" , "data" : { } } } "#,
        #"[{"jsonrpc":"2.0","id":1.50,"method":"a"},[],{},true,"\\\"\/\b\f\n\r\t"]"#,
        #"{"\u006a\u0073onrpc":"2.0","\u0069d":0,"m\u0065thod":"m","a":1,"b":2,"c":3,"params":{"ta\u017fks":1}}"#,
    ]

    /// Pieces that turn a text into another with a meaning of its own more often than random bytes would.
    static let pieces = [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", ".", "e", " ", "\n", "\t", "null", "true", "\"id\"",
        "\"id\":2,", "\"Id\":3,", "\"method\":\"m\",", "\"name\":1,", "\"NAME\":1,", "\"_meta\":{},", "\"result\":{},",
        "\"error\":{},", "\"params\":{},", "\\u0069", "\\ud800", "\\udc00", "\\u", "é", "\u{17F}", "\u{212A}",
        "\u{FEFF}",
        "\u{0}", "\u{1F}", "\u{7F}", "jsonrpc", "2.0", "\"jsonrpc\":\"2.0\",", "e9999", "e10000", "{}", "[]", "\"\"",
    ]

    @Test("gives the same verdict on mutated messages", arguments: 0..<16 as Range<UInt64>)
    func mutations(_ seed: UInt64) {
        var dice = Dice(seed: seed)
        for _ in 0..<1_500 {
            var text = Array(Self.seeds.randomElement(using: &dice).map { $0.utf8 } ?? "".utf8)
            for _ in 0..<Int.random(in: 0...4, using: &dice) { Self.mutate(&text, &dice) }
            let expected = Oracle.verdict(text)
            let actual = Self.verdict(text)
            if actual != expected {
                Issue.record("\(String(decoding: text, as: UTF8.self)): \(actual), the oracle says \(expected)")
            }
        }
    }

    @Test("gives the same verdict on objects with random members", arguments: 0..<8 as Range<UInt64>)
    func members(_ seed: UInt64) {
        var dice = Dice(seed: seed)
        let names = [
            "id", "Id", "method", "params", "result", "error", "jsonrpc", "_meta", "name", "x", "\\u0078", "\\u0069d",
            "é",
            "\\u00e9", "tools", "Tools", "code", "data", "progressToken", "to\u{212A}en", "\\ud800", "y", "z",
        ]
        let values = ["1", "null", "\"2.0\"", "\"m\"", "{}", "[]", "true"]
        func object(_ depth: Int, _ dice: inout Dice) -> String {
            let members = (0..<Int.random(in: 0...5, using: &dice)).map { _ in
                let isNested = depth < 3 && Bool.random(using: &dice)
                let value = isNested ? object(depth + 1, &dice) : values.randomElement(using: &dice) ?? "1"
                return "\"\(names.randomElement(using: &dice) ?? "")\":\(value)"
            }
            return "{" + members.joined(separator: ",") + "}"
        }
        for _ in 0..<1_500 {
            let start = Bool.random(using: &dice) ? #""jsonrpc":"2.0","method":"m""# : #""jsonrpc":"2.0","id":7"#
            var inner = object(0, &dice).dropFirst()
            if inner != "}" { inner = "," + inner }
            let text = Array("{\(start)\(inner)".utf8)
            let expected = Oracle.verdict(text)
            let actual = Self.verdict(text)
            if actual != expected {
                Issue.record("\(String(decoding: text, as: UTF8.self)): \(actual), the oracle says \(expected)")
            }
        }
    }

    @Test("is itself right about its seeds")
    func oracle() {
        let verdicts: [Oracle.Verdict] = [
            .message(.request, id: "1"), .message(.notification, id: nil), .message(.result, id: #""\ud83d\ude00""#),
            .message(.error, id: "null"), .batch(5), .message(.request, id: "0"),
        ]
        #expect(Self.seeds.map { Oracle.verdict(Array($0.utf8)) } == verdicts)
    }

    static func verdict(_ bytes: [UInt8]) -> Oracle.Verdict {
        let line = buffer(bytes)
        return switch MessageScanner.standard.scan(line) {
        case .message(let scan): .message(scan.kind, id: text(scan[.id], of: line))
        case .batch(let elements): .batch(elements.count)
        case .rejected(let rejection) where rejection.code == -32700: .noJSON
        case .rejected(let rejection):
            .refused(id: text(rejection.id, of: line), isResponse: rejection.isResponse)
        }
    }

    private static func mutate(_ text: inout [UInt8], _ dice: inout Dice) {
        let position = Int.random(in: 0...text.count, using: &dice)
        switch Int.random(in: 0..<5, using: &dice) {
        case 0: text.insert(contentsOf: Array((pieces.randomElement(using: &dice) ?? "").utf8), at: position)
        case 1 where position < text.count: text[position] = UInt8.random(in: 0...255, using: &dice)
        case 2 where position < text.count: text.remove(at: position)
        case 3:
            let end = Int.random(in: position...min(text.count, position + 20), using: &dice)
            text.insert(contentsOf: Array(text[position..<end]), at: Int.random(in: 0...text.count, using: &dice))
        default:
            let commas = text.indices.filter { text[$0] == UInt8(ascii: ",") || text[$0] == UInt8(ascii: "{") }
            guard let comma = commas.randomElement(using: &dice) else { return }
            text.insert(contentsOf: Array((pieces.randomElement(using: &dice) ?? "").utf8), at: comma + 1)
        }
    }
}
