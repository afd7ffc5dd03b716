import Testing

@testable import GatewayConfiguration

/// The part of JSON Schema draft-07 that the shipped schema uses. A keyword that it does not know is an error, so that
/// the schema cannot say what no test looks at.
///
/// Schema and file are both ``YAMLValue``s: JSON is YAML, and problems have positions.
final class JSONSchema {
    struct Problem: Hashable {
        var position: YAMLPosition
        var message: String
    }

    struct Unsupported: Error {
        var what: String
    }

    let root: YAMLValue
    private let definitions: YAMLValue
    private var patterns: [String: Regex<AnyRegexOutput>] = [:]

    init(_ bytes: [UInt8]) throws {
        let document = YAMLDocument(bytes)
        guard let root = document.root, document.problems.isEmpty else {
            throw Unsupported(what: "\(document.problems)")
        }
        self.root = root
        definitions = try #require(root["definitions"])
        try check(root)
    }

    /// What `value` is refused for; empty when it is valid.
    func problems(of value: YAMLValue) throws -> [Problem] {
        try problems(of: value, root)
    }

    /// What a `$ref` stands for, or the schema itself.
    func resolved(_ schema: YAMLValue) throws -> YAMLValue {
        guard let reference = schema["$ref"]?.string else { return schema }
        guard reference.hasPrefix("#/definitions/"),
            let target = definitions[String(reference.dropFirst("#/definitions/".count))]
        else { throw Unsupported(what: "$ref \(reference)") }
        return target
    }

    private static let annotations = ["$schema", "title", "description", "default", "examples", "definitions"]
    private static let schemas = ["not", "if", "then", "items", "propertyNames", "additionalProperties"]
    private static let lists = ["allOf", "anyOf", "oneOf"]
    private static let maps = ["properties", "definitions"]
    private static let values = [
        "type", "required", "enum", "const", "pattern", "minimum", "maximum", "minLength", "minItems", "uniqueItems",
        "$ref",
    ]

    /// Looks at every schema in `schema`, also at those that no file reaches.
    private func check(_ schema: YAMLValue) throws {
        if schema.string == "false" { return }
        guard let entries = schema.entries else { throw Unsupported(what: "a schema that is \(schema)") }
        // Draft-07 ignores what stands beside a reference.
        if schema["$ref"] != nil, entries.count > 1 {
            throw Unsupported(what: "siblings of $ref at \(schema.position)")
        }
        _ = try resolved(schema)
        for entry in entries {
            if Self.schemas.contains(entry.key) {
                try check(entry.value)
            } else if Self.lists.contains(entry.key) {
                try entry.value.items.forEach(check)
            } else if Self.maps.contains(entry.key) {
                try entry.value.entries?.map(\.value).forEach(check)
            } else if !Self.annotations.contains(entry.key), !Self.values.contains(entry.key) {
                throw Unsupported(what: "the keyword '\(entry.key)' at \(entry.keyPosition)")
            }
        }
    }

    func problems(of value: YAMLValue, _ reference: YAMLValue) throws -> [Problem] {
        let schema = try resolved(reference)
        if case .refused = value.content { return [] }
        var found: [Problem] = []
        func refuse(_ message: String) { found.append(Problem(position: value.position, message: message)) }

        if let type = schema["type"]?.string, !value.has(type: type) { refuse("no \(type)") }
        if let constant = schema["const"], !value.equals(constant) { refuse("not the constant") }
        if let values = schema["enum"], !values.items.contains(where: value.equals) { refuse("not in the list") }
        if let number = value.number {
            if let minimum = schema["minimum"]?.number, number < minimum { refuse("below \(minimum)") }
            if let maximum = schema["maximum"]?.number, number > maximum { refuse("above \(maximum)") }
        }
        if let text = value.quoted {
            if let least = schema["minLength"]?.number, Double(text.unicodeScalars.count) < least {
                refuse("too short")
            }
            if let pattern = schema["pattern"]?.string, try !matches(text, pattern) { refuse("not like \(pattern)") }
        }
        if case .sequence(let items) = value.content {
            if let least = schema["minItems"]?.number, Double(items.count) < least { refuse("too few items") }
            if schema["uniqueItems"] != nil {
                for (index, item) in items.enumerated() where items[..<index].contains(where: item.equals) {
                    found.append(Problem(position: item.position, message: "repeated"))
                }
            }
            if let schema = schema["items"] { found += try items.flatMap { try problems(of: $0, schema) } }
        }
        found += try problemsOfMembers(value, schema)
        for part in schema["allOf"]?.items ?? [] { found += try problems(of: value, part) }
        if let choices = schema["anyOf"]?.items { found += try problems(of: value, anyOf: choices) }
        if let choices = schema["oneOf"]?.items, try choices.count(where: { try problems(of: value, $0).isEmpty }) != 1
        {
            refuse("not exactly one of the forms")
        }
        if let part = schema["not"], try problems(of: value, part).isEmpty { refuse("excluded") }
        if let condition = schema["if"], let part = schema["then"], try problems(of: value, condition).isEmpty {
            found += try problems(of: value, part)
        }
        return found
    }

    private func problemsOfMembers(_ value: YAMLValue, _ schema: YAMLValue) throws -> [Problem] {
        guard let entries = value.entries else { return [] }
        var found: [Problem] = []
        for name in schema["required"]?.items ?? [] where !entries.contains(where: { $0.key == name.string }) {
            found.append(Problem(position: value.position, message: "'\(name.string ?? "")' is missing"))
        }
        for entry in entries {
            let key = YAMLValue(
                position: entry.keyPosition, content: .scalar(YAMLScalar(text: entry.key, plain: false)))
            if let names = schema["propertyNames"] { found += try problems(of: key, names) }
            if let member = schema["properties"]?[entry.key] {
                found += try problems(of: entry.value, member)
            } else if let others = schema["additionalProperties"] {
                if others.string == "false" {
                    found.append(Problem(position: entry.keyPosition, message: "unknown key '\(entry.key)'"))
                } else {
                    found += try problems(of: entry.value, others)
                }
            }
        }
        return found
    }

    /// The problems within the one form that was meant, where the value's own shape tells which.
    private func problems(of value: YAMLValue, anyOf choices: [YAMLValue]) throws -> [Problem] {
        var near: [[Problem]] = []
        for choice in choices {
            let found = try problems(of: value, choice)
            if found.isEmpty { return [] }
            if !found.contains(where: { $0.position == value.position }) { near.append(found) }
        }
        return near.count == 1 ? near[0] : [Problem(position: value.position, message: "in none of the forms")]
    }

    private func matches(_ text: String, _ pattern: String) throws -> Bool {
        let expression = try patterns[pattern] ?? Regex(pattern).matchingSemantics(.unicodeScalar)
        patterns[pattern] = expression
        return text.firstMatch(of: expression) != nil
    }
}

extension YAMLValue {
    var entries: [YAMLEntry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    var items: [YAMLValue] {
        if case .sequence(let items) = content { items } else { [] }
    }

    subscript(key: String) -> YAMLValue? {
        entries?.first { $0.key == key }?.value
    }

    /// The text of any scalar.
    var string: String? {
        if case .scalar(let scalar) = content { scalar.text } else { nil }
    }

    /// The text of a scalar that is text.
    var quoted: String? {
        if case .scalar(let scalar) = content, scalar.kind == .text { scalar.text } else { nil }
    }

    /// The number that a YAML 1.2 reader makes of the scalar.
    var number: Double? {
        guard case .scalar(let scalar) = content, scalar.kind == .number else { return nil }
        // `.inf` and `.nan`, with a sign.
        if let name = scalar.text.split(separator: ".").last, ["inf", "nan"].contains(name.lowercased()) {
            return Double((scalar.text.hasPrefix("-") ? "-" : "") + name.lowercased())
        }
        let radix = scalar.text.hasPrefix("0x") ? 16 : scalar.text.hasPrefix("0o") ? 8 : 10
        return radix == 10 ? Double(scalar.text) : Int(scalar.text.dropFirst(2), radix: radix).map { Double($0) }
    }

    fileprivate func has(type: String) -> Bool {
        switch content {
        case .mapping: return type == "object"
        case .sequence: return type == "array"
        case .refused: return true
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: return type == "null"
            case .boolean: return type == "boolean"
            case .text: return type == "string"
            case .number: return type == "number" || type == "integer" && number.map { $0 == $0.rounded() } ?? false
            }
        }
    }

    fileprivate func equals(_ other: YAMLValue) -> Bool {
        switch (content, other.content) {
        case (.scalar(let one), .scalar(let two)):
            guard one.kind == two.kind else { return false }
            switch one.kind {
            case .null: return true
            case .boolean: return one.text.lowercased() == two.text.lowercased()
            case .number: return number == other.number
            case .text: return one.text == two.text
            }
        case (.sequence(let one), .sequence(let two)):
            return one.count == two.count && zip(one, two).allSatisfy { $0.equals($1) }
        case (.mapping(let one), .mapping(let two)):
            return one.count == two.count && one.allSatisfy { other[$0.key].map($0.value.equals) ?? false }
        default: return false
        }
    }
}
