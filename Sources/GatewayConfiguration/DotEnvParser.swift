/// The line grammar of `.env`, as python-dotenv reads it.
struct DotEnvParser {
    private let text: [Unicode.Scalar]
    private var index = 0
    private(set) var bindings: [DotEnv.Binding] = []
    private(set) var problems: [DotEnv.Problem] = []

    init(_ text: String) {
        self.text = Array(text.unicodeScalars)
    }

    private struct Malformed: Error {
        var message: String
    }

    /// Reads the whole file; after a malformed line it goes on with the next.
    mutating func run() {
        var line = 1
        var counted = 0
        while true {
            skip { $0.properties.isWhitespace }
            guard index < text.count else { return }
            line += newlines(in: counted..<index)
            counted = index
            do throws(Malformed) {
                if let (name, value) = try binding() {
                    bindings.append(DotEnv.Binding(name: name, value: value, line: line))
                }
            } catch {
                problems.append(DotEnv.Problem(line: line, message: error.message))
                skip { !Self.isNewline($0) }
            }
        }
    }

    private mutating func binding() throws(Malformed) -> (String, String?)? {
        skipExport()
        guard let name = try key() else {
            try endOfLine(after: "the comment")
            return nil
        }
        guard !name.contains("="), !name.contains("\0") else {
            throw Malformed(message: "a name cannot hold '=' or NUL")
        }
        skip(Self.isBlank)
        guard peek() == "=" else {
            try endOfLine(after: "the name '\(variableName(name))'")
            return (name, nil)
        }
        index += 1
        skip(Self.isBlank)
        let value = try value()
        guard !value.unicodeScalars.contains("\0") else { throw Malformed(message: "a value cannot hold NUL") }
        try endOfLine(after: "the quoted value of '\(variableName(name))'")
        return (name, value)
    }

    private mutating func skipExport() {
        let word = Array("export".unicodeScalars)
        guard text[index...].starts(with: word), index + word.count < text.count, Self.isBlank(text[index + word.count])
        else { return }
        index += word.count
        skip(Self.isBlank)
    }

    private mutating func key() throws(Malformed) -> String? {
        switch peek() {
        case "#": return nil
        case "'":
            guard let close = text[(index + 1)...].firstIndex(of: "'"), close > index + 1 else {
                throw Malformed(message: "a quoted name without its closing quote, or empty")
            }
            defer { index = close + 1 }
            return string(index + 1..<close)
        default:
            let start = index
            skip { $0 != "=" && $0 != "#" && !$0.properties.isWhitespace }
            guard index > start else { throw Malformed(message: "no name before the '=' (valid: NAME=value)") }
            return string(start..<index)
        }
    }

    private mutating func value() throws(Malformed) -> String {
        switch peek() {
        case "'": return unescape(try quoted(by: "'"), ["\\": "\\", "'": "'"])
        case "\"":
            return unescape(
                try quoted(by: "\""),
                [
                    "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r",
                    "t": "\t", "v": "\u{B}",
                ])
        default:
            let start = index
            skip { !Self.isNewline($0) }
            var end = index
            // A comment begins at a `#` after white space; elsewhere it is part of the value.
            for at in start..<index where at > start && text[at] == "#" && text[at - 1].properties.isWhitespace {
                end = at
                break
            }
            while end > start, text[end - 1].properties.isWhitespace { end -= 1 }
            return string(start..<end)
        }
    }

    /// The raw content of a quoted value, which may run over lines; `index` ends behind the closing quote.
    private mutating func quoted(by quote: Unicode.Scalar) throws(Malformed) -> Range<Int> {
        var at = index + 1
        var lastEscaped: Int?
        while at < text.count {
            if text[at] == "\\", at + 1 < text.count, text[at + 1] == quote {
                lastEscaped = at + 1
                at += 2
            } else if text[at] == quote {
                break
            } else {
                at += 1
            }
        }
        // With no other quote left, an escaped one closes: `'C:\'` is a path.
        guard let close = at < text.count ? at : lastEscaped else {
            throw Malformed(message: "a quote is opened and never closed")
        }
        defer { index = close + 1 }
        return index + 1..<close
    }

    private func unescape(_ range: Range<Int>, _ escapes: [Unicode.Scalar: Unicode.Scalar]) -> String {
        var result = String.UnicodeScalarView()
        var at = range.lowerBound
        while at < range.upperBound {
            if text[at] == "\\", at + 1 < range.upperBound, let replacement = escapes[text[at + 1]] {
                result.append(replacement)
                at += 2
            } else {
                result.append(text[at])
                at += 1
            }
        }
        return String(result)
    }

    private mutating func endOfLine(after what: String) throws(Malformed) {
        skip(Self.isBlank)
        if peek() == "#" { skip { !Self.isNewline($0) } }
        guard index == text.count || Self.isNewline(text[index]) else {
            throw Malformed(message: "unexpected text after \(what) (valid: NAME=value, # comment)")
        }
    }

    private func peek() -> Unicode.Scalar? {
        index < text.count ? text[index] : nil
    }

    private mutating func skip(_ isSkipped: (Unicode.Scalar) -> Bool) {
        while index < text.count, isSkipped(text[index]) { index += 1 }
    }

    private func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text[range])
        return String(view)
    }

    private func newlines(in range: Range<Int>) -> Int {
        range.count { text[$0] == "\n" || (text[$0] == "\r" && !($0 + 1 < text.count && text[$0 + 1] == "\n")) }
    }

    private static func isNewline(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\r"
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace && !isNewline(scalar)
    }
}
