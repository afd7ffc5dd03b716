/// Where something stands in a YAML file, both 1-based; columns count Unicode scalars.
struct YAMLPosition: Hashable, Comparable {
    var line: Int
    var column: Int

    static func < (left: YAMLPosition, right: YAMLPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A YAML document as the reader needs it: positions everywhere, entries in the order written, duplicate keys kept,
/// scalars as text that nobody has guessed a type for.
struct YAMLValue {
    var position: YAMLPosition
    var content: Content

    enum Content {
        case scalar(YAMLScalar)
        case sequence([YAMLValue])
        case mapping([YAMLEntry])
        /// Refused as YAML; the problem has been reported, and no other must follow from it.
        case refused
    }
}

extension YAMLValue {
    /// What it is, for messages; nil when it has been refused already.
    var shape: String? {
        switch content {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .scalar(let scalar): scalar.kind.rawValue
        case .refused: nil
        }
    }
}

/// A scalar's text. `plain` when it was written without quotes, which is when YAML gives it a type.
struct YAMLScalar {
    var text: String
    var plain: Bool
}

/// One `key: value`.
struct YAMLEntry {
    var key: String
    var keyPosition: YAMLPosition
    var value: YAMLValue
}

extension YAMLScalar {
    /// What the YAML 1.2 core schema takes the text for.
    enum Kind: String {
        case null = "nothing"
        case boolean = "a boolean"
        case number = "a number"
        case text = "text"
    }

    /// The core schema's type of the text; quoted scalars are always text.
    var kind: Kind {
        guard plain else { return .text }
        if ["", "~", "null", "Null", "NULL"].contains(text) { return .null }
        if ["true", "True", "TRUE", "false", "False", "FALSE"].contains(text) { return .boolean }
        return isNumber ? .number : .text
    }

    private var isNumber: Bool {
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(String(unsigned)) { return true }
        if unsigned.hasPrefix("0x") || unsigned.hasPrefix("0o") {
            return Int(unsigned.dropFirst(2), radix: unsigned.hasPrefix("0x") ? 16 : 8) != nil
        }
        // Swift's own parser also takes `0x1p3`, `inf` and `nan`, which are text in YAML.
        return unsigned.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) } && Double(unsigned) != nil
    }
}
