@testable import AuditTrail

/// How the tests read records back, independent of the code under test.
enum FormatReader {
    /// Undoes the escapes of free text; nil where one is malformed or a character is raw that must not be.
    static func unescaped(_ text: String) -> String? {
        // As a JSON string, in which only the quote needs an escape of its own.
        JSONValue.parse(
            "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\"")?
            .string
    }

    /// A word at the beginning of `text`: bare up to a space, or a JSON string; and what follows it.
    static func word(_ text: Substring) -> (value: String, rest: Substring)? {
        guard text.first == "\"" else {
            let end = text.firstIndex(of: " ") ?? text.endIndex
            return (String(text[..<end]), text[end...])
        }
        guard let end = jsonEnd(text), let value = JSONValue.parse(String(text[..<end]))?.string else { return nil }
        return (value, text[end...])
    }

    /// `KEY=value` pairs of format debug, values as text or as JSON; nil when the line is no such record.
    static func pairs(_ line: String) -> [(key: String, value: String)]? {
        guard line.first == "[", let bracket = line.firstIndex(of: "]") else { return nil }
        var rest = line[line.index(after: bracket)...]
        var pairs: [(String, String)] = []
        while !rest.isEmpty {
            guard rest.first == " ", let equals = rest.firstIndex(of: "=") else { return nil }
            let key = String(rest[rest.index(after: rest.startIndex)..<equals])
            guard !key.isEmpty, key.utf8.allSatisfy({ $0 >= 0x41 && $0 <= 0x5A || $0 == 0x5F }) else { return nil }
            rest = rest[rest.index(after: equals)...]
            if rest.first == "{" || rest.first == "[" {
                guard let end = jsonEnd(rest), JSONValue.parse(String(rest[..<end])) != nil else { return nil }
                pairs.append((key, String(rest[..<end])))
                rest = rest[end...]
            } else {
                guard let (value, next) = word(rest) else { return nil }
                pairs.append((key, value))
                rest = next
            }
        }
        return pairs
    }

    /// Where the JSON string, array or object that begins `text` ends.
    static func jsonEnd(_ text: Substring) -> Substring.Index? {
        var depth = 0
        var inString = false
        var isEscaped = false
        for index in text.indices {
            let character = text[index]
            if inString {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else {
                    inString = character != "\""
                }
            } else if character == "\"" {
                inString = true
            } else if character == "{" || character == "[" {
                depth += 1
            } else if character == "}" || character == "]" {
                depth -= 1
            }
            if depth == 0, !inString { return text.index(after: index) }
        }
        return nil
    }

    /// The cells of one line of csv, as a strict reader takes them; nil when a quote is out of place or open.
    static func cells(_ line: String, delimiter: Character = ",", quote: Character? = "\"", escape: Character? = nil)
        -> [String]?
    {
        var cells: [String] = []
        var cell = ""
        var isQuoted = false
        var wasQuoted = false
        var characters = Array(line.unicodeScalars.map { Character($0) })[...]
        while let character = characters.popFirst() {
            if character == escape {
                guard let next = characters.popFirst() else { return nil }
                cell.append(next)
            } else if isQuoted {
                if character != quote {
                    cell.append(character)
                } else if escape == nil, characters.first == quote {
                    characters.removeFirst()
                    cell.append(character)
                } else {
                    isQuoted = false
                    wasQuoted = true
                }
            } else if character == delimiter {
                cells.append(cell)
                (cell, wasQuoted) = ("", false)
            } else if character == quote {
                guard cell.isEmpty, !wasQuoted else { return nil }
                isQuoted = true
            } else {
                guard !wasQuoted else { return nil }
                cell.append(character)
            }
        }
        return isQuoted ? nil : cells + [cell]
    }
}
