/// A pattern for paths: `*` and `?` within a name, `**` over any number of names, `[a-z]`, `[!a]`, `{one,two}`, and `\`
/// before a character that is meant itself.
///
/// A pattern without a slash is for the name alone, at any level; with one, for the whole path. Never exponential.
struct Glob: Sendable {
    /// The longest pattern, in bytes.
    static let maxPatternBytes = 1024
    /// How many alternatives the braces of one pattern may make.
    static let maxAlternatives = 64

    private enum Part: Hashable, Sendable {
        case literal(Unicode.Scalar)
        case one
        case any
        case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .literal(let wanted): scalar == wanted
            case .one, .any: true
            case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
            }
        }
    }

    private enum Segment: Hashable, Sendable {
        case anyNumber
        case name([Part])
    }

    private let alternatives: [[Segment]]

    /// Reads a pattern; refuses one that is empty, too long, or makes too many alternatives.
    init(_ pattern: String) throws(FilesystemError) {
        guard !pattern.isEmpty else { throw .invalid("a pattern must not be empty") }
        guard pattern.utf8.count <= Self.maxPatternBytes else {
            throw .invalid(
                "a pattern of \(pattern.utf8.count) bytes is longer than the \(Self.maxPatternBytes) allowed")
        }
        var texts: [[Unicode.Scalar]] = []
        try Self.expand(Array(pattern.unicodeScalars), into: &texts)
        alternatives = texts.map(Self.segments)
    }

    /// Whether the path, relative and with single slashes, matches.
    func matches(_ path: String) -> Bool {
        let names = path.unicodeScalars.split(separator: "/").map(Array.init)
        return alternatives.contains { Self.matches($0, names) }
    }

    private static func expand(_ text: [Unicode.Scalar], into output: inout [[Unicode.Scalar]]) throws(FilesystemError)
    {
        guard let braces = braces(in: text) else {
            guard output.count < maxAlternatives else {
                throw .invalid("a pattern's braces may make \(maxAlternatives) alternatives at most")
            }
            output.append(text)
            return
        }
        for choice in braces.choices {
            try expand(Array(text[..<braces.open]) + choice + Array(text[(braces.close + 1)...]), into: &output)
        }
    }

    /// The first pair of braces with a comma in between; any other is literal.
    private static func braces(
        in text: [Unicode.Scalar]
    ) -> (open: Int, close: Int, choices: [[Unicode.Scalar]])? {
        var open: Int?
        var depth = 0
        var choices: [[Unicode.Scalar]] = []
        var start = 0
        var index = 0
        while index < text.count {
            switch text[index] {
            case "\\": index += 1
            case "{":
                if depth == 0 {
                    open = index
                    start = index + 1
                    choices = []
                }
                depth += 1
            case "," where depth == 1:
                choices.append(Array(text[start..<index]))
                start = index + 1
            case "}" where depth > 0:
                depth -= 1
                if depth == 0, let open, !choices.isEmpty {
                    return (open, index, choices + [Array(text[start..<index])])
                }
            default: break
            }
            index += 1
        }
        return nil
    }

    private static func segments(_ text: [Unicode.Scalar]) -> [Segment] {
        let names = text.split(separator: "/").map(Array.init)
        let segments = names.filter { $0 != ["."] }.map { $0 == ["*", "*"] ? .anyNumber : Segment.name(parts($0)) }
        return text.contains("/") ? segments : [.anyNumber] + segments
    }

    private static func parts(_ text: [Unicode.Scalar]) -> [Part] {
        var parts: [Part] = []
        var index = 0
        while index < text.count {
            switch text[index] {
            case "*":
                if parts.last != .any { parts.append(.any) }
            case "?": parts.append(.one)
            case "[":
                if let (set, end) = set(text, from: index + 1) {
                    parts.append(set)
                    index = end
                } else {
                    parts.append(.literal("["))
                }
            case "\\" where index + 1 < text.count:
                index += 1
                parts.append(.literal(text[index]))
            case let scalar: parts.append(.literal(scalar))
            }
            index += 1
        }
        return parts
    }

    /// The set that begins behind a bracket, and where its closing bracket stands; `nil` when it has none.
    private static func set(_ text: [Unicode.Scalar], from start: Int) -> (Part, Int)? {
        var index = start
        var isNegated = false
        if index < text.count, text[index] == "!" || text[index] == "^" {
            isNegated = true
            index += 1
        }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        // A bracket in the first place is a member.
        while index < text.count, text[index] != "]" || ranges.isEmpty {
            let low = text[index]
            if index + 2 < text.count, text[index + 1] == "-", text[index + 2] != "]" {
                let high = text[index + 2]
                // A range that runs backwards holds nothing but its ends.
                ranges += low <= high ? [low...high] : [low...low, high...high]
                index += 3
            } else {
                ranges.append(low...low)
                index += 1
            }
        }
        return index < text.count ? (.set(ranges, isNegated: isNegated), index) : nil
    }

    /// Both levels work alike: on a mismatch only the last star takes one more, so the cost is the product of both
    /// lengths.
    private static func matches(_ segments: [Segment], _ names: [[Unicode.Scalar]]) -> Bool {
        var segment = 0
        var name = 0
        var star: (segment: Int, name: Int)?
        while name < names.count {
            if segment < segments.count, segments[segment] == .anyNumber {
                star = (segment, name)
                segment += 1
            } else if segment < segments.count, case .name(let parts) = segments[segment], matches(parts, names[name]) {
                segment += 1
                name += 1
            } else if let last = star {
                star = (last.segment, last.name + 1)
                segment = last.segment + 1
                name = last.name + 1
            } else {
                return false
            }
        }
        return segments[segment...].allSatisfy { $0 == .anyNumber }
    }

    private static func matches(_ parts: [Part], _ name: [Unicode.Scalar]) -> Bool {
        var part = 0
        var index = 0
        var star: (part: Int, index: Int)?
        while index < name.count {
            if part < parts.count, parts[part] == .any {
                star = (part, index)
                part += 1
            } else if part < parts.count, parts[part].matches(name[index]) {
                part += 1
                index += 1
            } else if let last = star {
                star = (last.part, last.index + 1)
                part = last.part + 1
                index = last.index + 1
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { $0 == .any }
    }
}
