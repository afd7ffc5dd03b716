/// The names whose values no log may show: those that contain one of five words, or one that the operator added, in any
/// case. `monkey` matches too: rather too much.
struct SensitiveNames: Sendable {
    /// Stands for a hidden value.
    static let mask: StaticString = "***REDACTED***"

    private let words: [[UInt8]]

    /// `extra` is lower-cased by the configuration; it can add and never remove.
    init(extra: [String]) {
        let all = ["password", "secret", "token", "key", "credential"] + extra.filter { !$0.isEmpty }
        words = all.map { Self.folded(Array($0.utf8)) }
    }

    /// Whether the unescaped `name` contains one of the words.
    func match(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        if name.allSatisfy({ $0 < 0x80 }) { return words.contains { Self.containsFolded(name, $0) } }
        let folded = Self.folded(Array(name))
        return words.contains { Self.contains(folded, $0) }
    }

    /// Lower case. The two letters outside ASCII whose case folding is an ASCII letter, U+017F and U+212A, fold as
    /// Unicode has it, or a name written with them would slip through.
    private static func folded(_ name: [UInt8]) -> [UInt8] {
        if name.allSatisfy({ $0 < 0x80 }) {
            return name.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
        }
        let lower = String(decoding: name, as: UTF8.self).lowercased()
        return Array(String(String.UnicodeScalarView(lower.unicodeScalars.map { $0 == "\u{17F}" ? "s" : $0 })).utf8)
    }

    /// The same of ASCII, which needs no copy: nearly every name.
    private static func containsFolded(_ text: UnsafeBufferPointer<UInt8>, _ word: [UInt8]) -> Bool {
        guard text.count >= word.count else { return false }
        for start in 0...text.count - word.count {
            var at = 0
            while at < word.count {
                let byte = text[start + at]
                guard (byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) == word[at] else { break }
                at += 1
            }
            if at == word.count { return true }
        }
        return false
    }

    private static func contains(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        guard text.count >= word.count else { return false }
        return (0...text.count - word.count).contains { start in
            text[start] == word[0] && text[start..<start + word.count].elementsEqual(word)
        }
    }
}
