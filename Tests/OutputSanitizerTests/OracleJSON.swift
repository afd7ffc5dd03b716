import JSONRPCWire
import NIOCore

/// A JSON value as the oracle sees it: its strings, and all else as it is written.
indirect enum OracleJSON {
    /// A string that is no member name, with what stood between its quotes.
    case string(Oracle.Text, spelling: Oracle.Text)
    case sequence([OracleJSON])
    case verbatim(Oracle.Text)

    /// The value as JSON.
    var text: Oracle.Text {
        switch self {
        case .string(_, let spelling): ["\""] + spelling + ["\""]
        case .sequence(let parts): parts.flatMap(\.text)
        case .verbatim(let text): text
        }
    }

    /// The text as an object or array, if it is one.
    static func container(_ text: Oracle.Text) -> OracleJSON? {
        guard let first = text.first(where: { !" \t\n\r".unicodeScalars.contains($0) }), first == "{" || first == "["
        else { return nil }
        var parser = Parser(text: text)
        guard let space = try? parser.space(), let value = try? parser.value(), let rest = try? parser.space(),
            parser.index == text.count
        else { return nil }  // no error says more than that
        return .sequence([space, value, rest])
    }

    /// How the production code spells `result`, which came of what `original` spells: what stays keeps its spelling, so
    /// only the text itself can be compared, and it is spelled plainly here.
    static func spelling(of result: Oracle.Text, _ original: Oracle.Text) -> Oracle.Text {
        Array(spelled(String(String.UnicodeScalarView(result))).unicodeScalars)
    }

    /// Spells every string plainly, in the value and in the JSON in its strings, so that two texts can be compared.
    static func normalized(_ text: Oracle.Text, level: Int = 1) -> Oracle.Text {
        guard level <= 8, let value = container(text) else { return text }
        return normalized(value, level).text
    }

    private static func normalized(_ value: OracleJSON, _ level: Int) -> OracleJSON {
        switch value {
        case .string(let content, let original):
            .string(content, spelling: spelling(of: normalized(content, level: level + 1), original))
        case .sequence(let parts): .sequence(parts.map { normalized($0, level) })
        case .verbatim: value
        }
    }

    private struct Failure: Error {}

    private struct Parser {
        let text: Oracle.Text
        var index = 0

        private var current: Unicode.Scalar? { index < text.count ? text[index] : nil }

        mutating func space() throws -> OracleJSON {
            let start = index
            while let scalar = current, " \t\n\r".unicodeScalars.contains(scalar) { index += 1 }
            return .verbatim(Array(text[start..<index]))
        }

        private mutating func sign(_ signs: String) throws -> OracleJSON {
            guard let scalar = current, signs.unicodeScalars.contains(scalar) else { throw Failure() }
            index += 1
            return .verbatim([scalar])
        }

        mutating func value() throws -> OracleJSON {
            switch current {
            case "{":
                return try list("}") {
                    [.verbatim(try $0.string().text), try $0.space(), try $0.sign(":"), try $0.space(), try $0.value()]
                }
            case "[": return try list("]") { [try $0.value()] }
            case "\"": return try string()
            default:
                let word = text[index...].prefix {
                    $0.isASCII && ($0.properties.isAlphabetic || "0"..."9" ~= $0 || "+-.".unicodeScalars.contains($0))
                }
                index = word.endIndex
                // The message scanner knows what a scalar is.
                let line = ByteBuffer(
                    string: "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\(String(String.UnicodeScalarView(word)))}")
                guard case .message = MessageScanner(maxDepth: 9).scan(line) else { throw Failure() }
                return .verbatim(Array(word))
            }
        }

        private mutating func list(_ end: String, _ item: (inout Parser) throws -> [OracleJSON]) throws -> OracleJSON {
            var parts = [try sign("{["), try space()]
            if current?.description == end { return .sequence(parts + [try sign(end)]) }
            while true {
                parts += try item(&self)
                parts += [try space(), try sign("," + end)]
                if text[index - 1].description == end { return .sequence(parts) }
                parts.append(try space())
            }
        }

        mutating func string() throws -> OracleJSON {
            _ = try sign("\"")
            let start = index
            while let scalar = current, scalar != "\"" { index += scalar == "\\" ? 2 : 1 }
            guard index < text.count else { throw Failure() }
            let spelling = Array(text[start..<index])
            index += 1
            let line = ByteBuffer(
                string: "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\(String(String.UnicodeScalarView(spelling)))\"}")
            guard case .message(let scan) = MessageScanner(maxDepth: 9).scan(line),
                let content = JSONText.string(scan[.result], in: line)
            else { throw Failure() }
            return .string(Array(content.unicodeScalars), spelling: spelling)
        }
    }
}
