/// A second implementation of the rules, written from the specification for clearness alone: on arrays of scalars, with
/// a state per function, and the standard library's own character properties.
struct Oracle {
    typealias Text = [Unicode.Scalar]

    var stages: Set<Stage> = Set(Stage.allCases)

    enum Stage: CaseIterable {
        case invisible, markup, codeFences
    }

    /// What becomes of a text that is taken as text.
    func plain(_ text: Text) -> Text {
        var text = text
        for _ in 0..<8 {
            let next = round(text)
            if next == text { return text }
            text = next
        }
        text.removeAll { $0 == "<" || $0 == "[" }
        return stages.contains(.codeFences) ? Self.fences(text) : text
    }

    private func round(_ text: Text) -> Text {
        var text = text
        if stages.contains(.invisible) { text = Self.visible(text) }
        if stages.contains(.markup) { text = Self.links(Self.images(Self.html(text))) }
        if stages.contains(.codeFences) { text = Self.fences(text) }
        return text
    }

    /// What becomes of any string: value by value where it is a JSON container.
    func string(_ text: Text, level: Int = 1) -> Text {
        guard level <= 8 else { return plain(text) }
        if let value = OracleJSON.container(text) { return self.value(value, level).text }
        let result = plain(text)
        if result != text, let value = OracleJSON.container(result) { return self.value(value, level).text }
        return result
    }

    private func value(_ value: OracleJSON, _ level: Int) -> OracleJSON {
        switch value {
        case .string(let content, let spelling):
            let result = string(content, level: level + 1)
            return result == content ? value : .string(result, spelling: OracleJSON.spelling(of: result, spelling))
        case .sequence(let parts): return .sequence(parts.map { self.value($0, level) })
        case .verbatim: return value
        }
    }
}

extension Oracle {
    static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\t" || scalar == "\n" || scalar == "\r" { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .unassigned: return true
        default: return false
        }
    }

    static func visible(_ text: Text) -> Text {
        text.filter { !isInvisible($0) }.map { $0 == "\u{A0}" ? " " : $0 }
    }

    static func images(_ text: Text) -> Text {
        var output: Text = []
        var index = 0
        while index < text.count {
            if text[index...].starts(with: Array("![".unicodeScalars)),
                let close = text[(index + 2)...].firstIndex(of: "]"), close + 1 < text.count, text[close + 1] == "(",
                let end = text[(close + 2)...].firstIndex(of: ")"), end > close + 2
            {
                output += close > index + 2 ? Array(text[(index + 2)..<close]) : Array("[image]".unicodeScalars)
                index = end + 1
            } else {
                output.append(text[index])
                index += 1
            }
        }
        return output
    }

    static func links(_ text: Text) -> Text {
        var output: Text = []
        var index = 0
        while index < text.count {
            if text[index] == "[", let close = text[(index + 1)...].firstIndex(of: "]"), close > index + 1,
                close + 1 < text.count, text[close + 1] == "(",
                let end = text[(close + 2)...].firstIndex(of: ")"), end > close + 2
            {
                let url = trimmed(text[(close + 2)..<end])
                output += trimmed(text[(index + 1)..<close])
                if !url.isEmpty { output += Array(" (".unicodeScalars) + url + [")"] }
                index = end + 1
            } else {
                output.append(text[index])
                index += 1
            }
        }
        return output
    }

    private static func trimmed(_ text: ArraySlice<Unicode.Scalar>) -> Text {
        let rest = text.drop { $0.properties.isWhitespace }
        return Text(rest.reversed().drop { $0.properties.isWhitespace }.reversed())
    }

    static func fences(_ text: Text) -> Text {
        var output: Text = []
        var index = 0
        while index < text.count {
            let mark = text[index]
            guard mark == "`" || mark == "~" else {
                output.append(mark)
                index += 1
                continue
            }
            let run = text[index...].prefix { $0 == mark }
            output += run
            index = run.endIndex
            let info = text[index...].prefix { $0 != "\n" && $0 != "`" && $0 != "~" }
            if run.count >= 3, info.endIndex < text.count, text[info.endIndex] == "\n" {
                output += isRole(info) ? Array("text".unicodeScalars) : Array(info)
                index = info.endIndex
            }
        }
        return output
    }

    private static func isRole(_ info: ArraySlice<Unicode.Scalar>) -> Bool {
        let lowered = info.flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) }
        let words = [
            "system", "user", "assistant", "tool", "function", "developer", "ignore", "override", "instruction",
            "prompt", "role",
        ]
        return words.contains { word in
            let word = Array(word.unicodeScalars)
            return lowered.indices.contains { lowered[$0...].starts(with: word) }
        }
    }
}
