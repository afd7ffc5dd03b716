import OutputSanitizer

/// Looks for what no sanitised text may hold, by simpler rules than those that took it out.
enum Survivors {
    private typealias Text = [Unicode.Scalar]

    /// Whether a text may be JSON, whose values are sanitised each by itself.
    static func mayBeJSON(_ text: String) -> Bool {
        // Anything invisible before the first bracket goes, and so may a tag.
        text.unicodeScalars.contains { $0 == "{" || $0 == "[" }
    }

    /// Whether a text has nothing in it that any stage looks for.
    static func isPlain(_ text: String) -> Bool {
        !text.unicodeScalars.contains { "<[`~".unicodeScalars.contains($0) || isInvisible($0) || $0 == "\u{A0}" }
    }

    /// The name of the first thing found.
    static func find(in text: String, _ stages: SanitizerStages) -> String? {
        let scalars = Text(text.unicodeScalars)
        if stages.contains(.invisible), scalars.contains(where: { isInvisible($0) || $0 == "\u{A0}" }) {
            return "an invisible scalar"
        }
        if stages.contains(.markup), hasMarkup(scalars) { return "markup" }
        if stages.contains(.codeFences), hasRole(scalars) { return "a role" }
        return nil
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\t" || scalar == "\n" || scalar == "\r" { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .unassigned: return true
        default: return false
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar?) -> Bool {
        scalar.map { "a"..."z" ~= $0 || "A"..."Z" ~= $0 } ?? false
    }

    /// A tag without quotes, a comment, a declaration.
    private static func hasMarkup(_ text: Text) -> Bool {
        var index = 0
        while index < text.count {
            guard text[index] == "<" else {
                index += 1
                continue
            }
            var next = index + 1
            if next < text.count, text[next] == "!" || text[next] == "?" { return true }
            if next < text.count, text[next] == "/" {
                next += 1
                if next < text.count, text[next] == ">" { return true }
                if next < text.count, !isLetter(text[next]) {
                    // Literal up to here.
                    index = (text[next...].firstIndex(of: ">") ?? text.count - 1) + 1
                    continue
                }
            }
            guard next < text.count, isLetter(text[next]) else {
                index += 1
                continue
            }
            // Without a quote before it, the first `>` ends the tag; with one it may not, and with none it is no tag.
            return text[next...].first { $0 == ">" || $0 == "\"" || $0 == "'" } == ">"
        }
        return false
    }

    /// An info string with a role in it.
    private static func hasRole(_ text: Text) -> Bool {
        let words = [
            "system", "user", "assistant", "tool", "function", "developer", "ignore", "override", "instruction",
            "prompt", "role",
        ]
        for mark: Unicode.Scalar in ["`", "~"] {
            var run = 0
            for (index, scalar) in text.enumerated() {
                run = scalar == mark ? run + 1 : 0
                guard run >= 3 else { continue }
                let info = text[(index + 1)...].prefix { $0 != "\n" && $0 != "`" && $0 != "~" }
                guard info.endIndex < text.count, text[info.endIndex] == "\n" else { continue }
                let lowered = String(String.UnicodeScalarView(info)).lowercased().utf8
                if words.contains(where: { Array(lowered).firstRange(of: Array($0.utf8)) != nil }) { return true }
            }
        }
        return false
    }
}
