import Yams

/// Turns YAML text into a ``YAMLValue``. The only file that knows Yams.
///
/// Refused at their position: more than one document, anchors (and so aliases), merge keys, tags other than the core
/// schema's text, list and mapping, keys that are not text, and characters that YAML does not allow.
struct YAMLDocument {
    /// nil when the file holds no document, or no problem-free one.
    private(set) var root: YAMLValue?
    /// What is wrong with the document as YAML.
    private(set) var problems: [(position: YAMLPosition?, message: String)] = []

    init(_ bytes: [UInt8]) {
        let scalars: [Unicode.Scalar]
        switch Self.decode(bytes) {
        case .success(let decoded): scalars = decoded
        case .failure(let failure):
            problems = [(failure.position, failure.message)]
            return
        }
        var text = scalars
        // Yams gives up at the first duplicate key and tells where its *first* occurrence is. That key is renamed, in
        // place and to the same length so that no position moves, until the document composes; the reader then sees
        // every key under its own name again and reports each repetition where it stands.
        var renamed: [YAMLPosition: String] = [:]
        while true {
            do {
                // The parser owns the anchors, to which the nodes only hold weak references.
                let parser = try Parser(yaml: String(Self.view(text)), resolver: .basic, encoding: .utf8)
                let node = try parser.singleRoot()
                withExtendedLifetime(parser) {
                    root = node.map { convert($0, renamed: renamed) }
                }
                return
            } catch let YamlError.duplicatedKeysInMapping(_, context) {
                let position = YAMLPosition(line: context.mark.line, column: context.mark.column)
                guard renamed.count < Self.maximumDuplicates,
                    let name = Self.renameKey(at: position, in: &text, number: renamed.count)
                else {
                    problems = [(position, "duplicate key: the same mapping holds it again")]
                    return
                }
                renamed[position] = name
            } catch {
                problems = [Self.describe(error, in: text)]
                return
            }
        }
    }

    private static let maximumDuplicates = 50

    private struct DecodingFailure: Error {
        var position: YAMLPosition
        var message: String
    }

    /// Checks encoding and characters here, where the position is known exactly.
    private static func decode(_ bytes: [UInt8]) -> Result<[Unicode.Scalar], DecodingFailure> {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(bytes.count)
        func failure(_ message: String) -> Result<[Unicode.Scalar], DecodingFailure> {
            .failure(DecodingFailure(position: position(of: scalars.endIndex, in: scalars), message: message))
        }
        // A byte order mark at the very beginning is an editor's habit, not content.
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        var decoder = UTF8()
        var iterator = content.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .emptyInput: return .success(scalars)
            case .error: return failure("not valid UTF-8; save the file as UTF-8")
            case .scalarValue(let scalar):
                guard isAllowed(scalar) else {
                    let name = "U+" + String(scalar.value, radix: 16, uppercase: true)
                    return failure("the character \(name) is not allowed in YAML")
                }
                scalars.append(scalar)
            }
        }
    }

    private static func position(of index: Int, in text: [Unicode.Scalar]) -> YAMLPosition {
        var position = YAMLPosition(line: 1, column: 1)
        for at in text.indices[..<index] { advance(&position, over: at, in: text) }
        return position
    }

    private static func index(of wanted: YAMLPosition, in text: [Unicode.Scalar]) -> Int? {
        var position = YAMLPosition(line: 1, column: 1)
        for at in text.indices {
            if position == wanted { return at }
            advance(&position, over: at, in: text)
        }
        return nil
    }

    /// Counts as libyaml does: a line ends with LF, CR, CR LF, NEL, LS or PS.
    private static func advance(_ position: inout YAMLPosition, over index: Int, in text: [Unicode.Scalar]) {
        switch text[index] {
        case "\r" where index + 1 < text.count && text[index + 1] == "\n":
            position.column += 1
        case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
            position = YAMLPosition(line: position.line + 1, column: 1)
        default:
            position.column += 1
        }
    }

    /// YAML 1.2, production 1 (`c-printable`), without the byte order mark.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD: true
        case 0x10000...0x10FFFF: true
        default: false
        }
    }

    private static func view(_ scalars: [Unicode.Scalar]) -> String.UnicodeScalarView {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return view
    }

    /// Replaces the first character of a key by one that no other key begins with, and returns the replaced text's
    /// first character. nil for a key that cannot be renamed so: with a tag or an anchor, empty, or not a scalar.
    private static func renameKey(
        at position: YAMLPosition, in text: inout [Unicode.Scalar], number: Int
    ) -> String? {
        guard let start = index(of: position, in: text) else { return nil }
        let first = text[start] == "\"" || text[start] == "'" ? start + 1 : start
        let unfit: [Unicode.Scalar] = ["\"", "'", "\\", "&", "*", "!", "{", "[", "|", ">", "?", " ", "\n", "\r"]
        guard first < text.count, !unfit.contains(text[first]),
            // Private use characters; those that the file itself holds are passed over.
            let replacement = (UInt32(0xE000 + number)...0xF8FF).lazy.compactMap(Unicode.Scalar.init)
                .first(where: { !text.contains($0) })
        else { return nil }
        let replaced = text[first]
        text[first] = replacement
        return String(Character(replaced))
    }

    private static func describe(
        _ error: any Error, in text: [Unicode.Scalar]
    ) -> (position: YAMLPosition?, message: String) {
        let context: YamlError.Context?
        let problem: String
        let position: YAMLPosition
        switch error {
        case YamlError.scanner(let around, let what, let mark, _), YamlError.parser(let around, let what, let mark, _),
            YamlError.composer(let around, let what, let mark, _):
            (context, problem) = (around, what)
            position = YAMLPosition(line: mark.line, column: mark.column)
        case YamlError.reader(let what, _, _, _):
            return (nil, "YAML: \(what)")
        default:
            return (nil, "YAML: the file cannot be parsed")
        }
        if problem.contains("another document") {
            return (position, "a second document begins here; the file holds exactly one")
        }
        if problem.contains("undefined alias") { return (position, noAnchors) }
        if problem.contains("nesting level") { return (position, "YAML: nested too deeply") }
        if problem.contains("cannot start any token") {
            let isTab = index(of: position, in: text).map { text[$0] == "\t" } ?? false
            let cause =
                isTab ? "a tab cannot indent; use spaces" : "this character cannot begin a value; put it in quotes"
            return (position, "YAML: \(cause)")
        }
        let began = context.map { " \($0.text) that began at \($0.mark.line):\($0.mark.column)," } ?? ""
        // The most likely cause inside `{ }` and `[ ]`, where the brace of a reference is YAML's own.
        let isReference =
            index(of: position, in: text).map { $0 > 0 && text[$0] == "{" && text[$0 - 1] == "$" } ?? false
        let hint = isReference ? "; put '${…}' in quotes here" : ""
        return (position, "YAML:\(began) \(problem)\(hint)")
    }

    private mutating func convert(_ node: Node, renamed: [YAMLPosition: String]) -> YAMLValue {
        let mark = node.mark
        let position = YAMLPosition(line: mark?.line ?? 1, column: mark?.column ?? 1)
        guard node.anchor == nil else {
            // Also ends the walk: an alias is its anchor's node once more, and nested aliases grow exponentially.
            return refuse(Self.noAnchors, at: position)
        }
        switch node {
        case .scalar(let scalar):
            // Without a tag of its own a plain scalar's is empty and a quoted one's is text.
            let tag = scalar.tag.description
            guard tag.isEmpty || tag == "tag:yaml.org,2002:str" else { return refuse(Self.noTag(tag), at: position) }
            let plain = scalar.style == .plain && tag.isEmpty
            return YAMLValue(position: position, content: .scalar(YAMLScalar(text: scalar.string, plain: plain)))
        case .sequence(let sequence):
            let tag = sequence.tag.description
            guard tag.isEmpty || tag == "tag:yaml.org,2002:seq" else { return refuse(Self.noTag(tag), at: position) }
            return YAMLValue(
                position: position, content: .sequence(sequence.map { convert($0, renamed: renamed) }))
        case .mapping(let mapping):
            let tag = mapping.tag.description
            guard tag.isEmpty || tag == "tag:yaml.org,2002:map" else { return refuse(Self.noTag(tag), at: position) }
            let entries = mapping.compactMap { entry(key: $0.key, value: $0.value, renamed: renamed) }
            return YAMLValue(position: position, content: .mapping(entries))
        case .alias:
            return refuse(Self.noAnchors, at: position)
        }
    }

    private mutating func refuse(_ message: String, at position: YAMLPosition) -> YAMLValue {
        problems.append((position, message))
        return YAMLValue(position: position, content: .refused)
    }

    private static let noAnchors = "anchors and aliases ('&', '*') are not supported; write the value out"

    private static func noTag(_ tag: String) -> String {
        "the tag '\(printable(tag))' is not supported; write the plain value"
    }

    private mutating func entry(key: Node, value: Node, renamed: [YAMLPosition: String]) -> YAMLEntry? {
        let key = convert(key, renamed: renamed)
        guard case .scalar(var scalar) = key.content else {
            if case .refused = key.content { return nil }
            problems.append((key.position, "a key must be plain text"))
            return nil
        }
        if let first = renamed[key.position] {
            scalar.text = first + String(scalar.text.unicodeScalars.dropFirst())
        }
        if scalar.text == "<<" {
            problems.append((key.position, "merge keys ('<<') are not supported; write the values out"))
            return nil
        }
        return YAMLEntry(
            key: scalar.text, keyPosition: key.position, value: convert(value, renamed: renamed))
    }
}
