@testable import GatewayConfiguration

/// Something that the schema describes, and how to write a file that has a value there.
struct SchemaPlace {
    /// As the reader names it: `plugins.security[0].config.mode`.
    let name: String
    /// The schema there and all that it takes in by `$ref`, `allOf` and `anyOf`.
    let schemas: [YAMLValue]
    /// The smallest file with this value in this place.
    let file: (YAMLValue) throws -> YAMLValue

    /// The forms of a mapping there.
    var objects: [YAMLValue] { schemas.filter { $0["type"]?.string == "object" } }

    /// What may be written there as text, where that is a list of words.
    var words: [String]? {
        let words = schemas.compactMap { $0["enum"]?.items }.first { $0.first?.quoted != nil }
        return words?.compactMap(\.quoted)
    }

    /// The numbers of an enumeration.
    var numbers: [Int] {
        schemas.compactMap { $0["enum"]?.items }.flatMap { $0 }.compactMap(\.number).map { Int($0) }
    }

    var range: YAMLValue? { schemas.first { $0["minimum"] != nil || $0["maximum"] != nil } }

    var defaultValue: YAMLValue? { schemas.compactMap { $0["default"] }.first }
}

/// Walks a schema, and writes files that satisfy it.
struct SchemaWalk {
    let schema: JSONSchema

    /// Every place, the file itself first. Of a map by server `_global` stands for all.
    func places() throws -> [SchemaPlace] {
        var places: [SchemaPlace] = []
        try visit(schema.root, name: "", into: &places) { $0 }
        return places
    }

    private func visit(
        _ part: YAMLValue, name: String, into places: inout [SchemaPlace],
        file: @escaping (YAMLValue) throws -> YAMLValue
    ) throws {
        let place = SchemaPlace(name: name, schemas: try flattened(part), file: file)
        places.append(place)
        for object in place.objects {
            for member in object["properties"]?.entries ?? [] {
                try visit(member.value, name: name.isEmpty ? member.key : "\(name).\(member.key)", into: &places) {
                    try file(self.completed([(member.key, $0)], object))
                }
            }
            for conditional in object["allOf"]?.items ?? [] {
                // What depends on `policy`; other conditions only restrict what `properties` describes already.
                guard let policy = conditional["if"]?["properties"]?["policy"]?["const"] else { continue }
                for member in conditional["then"]?["properties"]?.entries ?? [] {
                    try visit(member.value, name: "\(name).\(member.key)", into: &places) {
                        try file(self.completed([("policy", policy), (member.key, $0)], object))
                    }
                }
            }
        }
        for array in place.schemas {
            guard let items = array["items"] else { continue }
            try visit(items, name: "\(name)[0]", into: &places) { try file(.list([$0])) }
        }
    }

    private func flattened(_ part: YAMLValue) throws -> [YAMLValue] {
        let schema = try schema.resolved(part)
        let parts = (schema["allOf"]?.items ?? []) + (schema["anyOf"]?.items ?? [])
        return [schema] + (try parts.flatMap(flattened))
    }

    /// A mapping with what else it must have.
    func completed(_ value: YAMLValue, _ object: YAMLValue) throws -> YAMLValue {
        try completed((value.entries ?? []).map { ($0.key, $0.value) }, object)
    }

    private func completed(_ members: [(String, YAMLValue)], _ object: YAMLValue) throws -> YAMLValue {
        var members = members
        func require(_ names: YAMLValue?, _ part: YAMLValue?) throws -> Bool {
            var isChanged = false
            for name in names?.items.compactMap(\.string) ?? [] where !members.contains(where: { $0.0 == name }) {
                let member = part?["properties"]?[name] ?? object["properties"]?[name]
                guard let member else { throw JSONSchema.Unsupported(what: "'\(name)' without a schema") }
                members.append((name, try sample(member)))
                isChanged = true
            }
            return isChanged
        }
        _ = try require(object["required"], nil)
        if let forms = object["oneOf"]?.items {
            let value = YAMLValue.map(members)
            let isInOne = try forms.contains { try schema.problems(of: value, $0).isEmpty }
            if !isInOne { _ = try require(forms.first?["required"], nil) }
        }
        var isChanged = true
        while isChanged {
            isChanged = false
            for conditional in object["allOf"]?.items ?? [] {
                guard let condition = conditional["if"],
                    try schema.problems(of: .map(members), condition).isEmpty
                else { continue }
                let then = conditional["then"]
                isChanged = try require(then?["required"], then) || isChanged
            }
        }
        return .map(members)
    }

    /// Some value that the schema takes.
    private func sample(_ part: YAMLValue) throws -> YAMLValue {
        let schema = try schema.resolved(part)
        if let value = schema["const"] ?? (schema["enum"] ?? schema["examples"])?.items.first { return value }
        if let first = schema["anyOf"]?.items.first ?? (schema["type"] == nil ? schema["allOf"]?.items.first : nil) {
            return try sample(first)
        }
        switch schema["type"]?.string {
        case "string": return .text("server")
        case "array": return .list([])
        case "object": return try completed([], schema)
        default: throw JSONSchema.Unsupported(what: "no sample for the schema at \(part.position)")
        }
    }
}

// Values without a place in a file, and files made of them.
extension YAMLValue {
    private static let nowhere = YAMLPosition(line: 0, column: 0)

    static func text(_ text: String) -> YAMLValue {
        YAMLValue(position: nowhere, content: .scalar(YAMLScalar(text: text, plain: false)))
    }

    static func plain(_ text: String) -> YAMLValue {
        YAMLValue(position: nowhere, content: .scalar(YAMLScalar(text: text, plain: true)))
    }

    static func list(_ items: [YAMLValue]) -> YAMLValue {
        YAMLValue(position: nowhere, content: .sequence(items))
    }

    static func map(_ members: [(String, YAMLValue)]) -> YAMLValue {
        let entries = members.map { YAMLEntry(key: $0.0, keyPosition: nowhere, value: $0.1) }
        return YAMLValue(position: nowhere, content: .mapping(entries))
    }

    /// The value without the one member `zzzzzz` of this name.
    func without(_ key: String) -> YAMLValue {
        switch content {
        case .scalar, .refused: return self
        case .sequence(let items): return .list(items.map { $0.without(key) })
        case .mapping(let entries):
            let kept = entries.filter { !($0.key == key && $0.value.string == "zzzzzz") }
            return .map(kept.map { ($0.key, $0.value.without(key)) })
        }
    }

    /// The value as one line of YAML.
    var yaml: String {
        switch content {
        case .scalar(let scalar): scalar.plain ? scalar.text : Self.quote(scalar.text)
        case .sequence(let items): "[" + items.map(\.yaml).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\(Self.quote($0.key)): \($0.value.yaml)" }.joined(separator: ", ") + "}"
        case .refused: "~"
        }
    }

    private static func quote(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case "\t": "\\t"
            case "\n": "\\n"
            default: String(Character(scalar))
            }
        }
        return "\"" + escaped.joined() + "\""
    }
}
