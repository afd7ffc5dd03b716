/// One mapping of the file, read key by key.
///
/// Every reading function returns nil both for an absent key and for one whose problem it has already reported, so
/// that a reader fills in the default and goes on to find the next problem.
struct Section {
    /// Dotted; empty for the whole file.
    let name: String
    let position: YAMLPosition
    let reading: Reading
    private let entries: [String: YAMLEntry]

    /// nil when the value is no mapping. `keys` are the valid ones; every other key, and every repetition, is refused.
    init?(_ value: YAMLValue, name: String, keys: [String], reading: Reading) {
        guard let entries = Self.entries(of: value, name: name, reading: reading) else { return nil }
        self.name = name
        self.position = value.position
        self.reading = reading
        var known: [String: YAMLEntry] = [:]
        for entry in entries {
            if keys.contains(entry.key) {
                known[entry.key] = entry
            } else {
                let place = name.isEmpty ? "" : " in \(name)"
                let nearest = nearestName(to: entry.key, among: keys).map { "; did you mean '\($0)'?" } ?? ""
                reading.refuse(
                    entry.keyPosition,
                    "unknown key '\(printable(entry.key))'\(place)\(nearest) (valid: \(keys.joined(separator: ", ")))")
            }
        }
        self.entries = known
    }

    /// A mapping's entries, each key once.
    static func entries(of value: YAMLValue, name: String, reading: Reading) -> [YAMLEntry]? {
        guard case .mapping(let entries) = value.content else {
            reading.mismatch(value, name.isEmpty ? "the file" : name, expected: "a mapping")
            return nil
        }
        var first: [String: YAMLPosition] = [:]
        return entries.filter { entry in
            guard let earlier = first[entry.key] else {
                first[entry.key] = entry.keyPosition
                return true
            }
            let place = "first at \(earlier.line):\(earlier.column)"
            reading.refuse(entry.keyPosition, "duplicate key '\(printable(entry.key))' (\(place)); keep one")
            return false
        }
    }

    func has(_ key: String) -> Bool {
        entries[key] != nil
    }

    /// Where the key's value stands; the section itself for an absent key.
    func position(of key: String) -> YAMLPosition {
        entries[key]?.value.position ?? position
    }

    func keyPosition(of key: String) -> YAMLPosition {
        entries[key]?.keyPosition ?? position
    }

    func value(_ key: String) -> YAMLValue? {
        entries[key]?.value
    }

    /// `name.key`.
    func path(_ key: String) -> String {
        name.isEmpty ? key : "\(name).\(key)"
    }

    func section(_ key: String, keys: [String]) -> Section? {
        value(key).flatMap { Section($0, name: path(key), keys: keys, reading: reading) }
    }

    func list(_ key: String) -> [YAMLValue]? {
        guard let value = value(key) else { return nil }
        if case .sequence(let values) = value.content { return values }
        reading.mismatch(value, path(key), expected: "a list", remedy: " (an empty one is [])")
        return nil
    }

    func text(_ key: String, expected: String = "text") -> Text? {
        value(key).flatMap { Self.text($0, name: path(key), expected: expected, reading: reading) }
    }

    func nonEmptyText(_ key: String) -> Text? {
        guard let text = text(key) else { return nil }
        if !text.value.isEmpty { return text }
        reading.refuse(text.position, "\(text.name) is empty; give it a text or remove the key")
        return nil
    }

    func texts(_ key: String) -> [Text]? {
        list(key)?.enumerated().compactMap { index, value in
            Self.text(value, name: "\(path(key))[\(index)]", reading: reading)
        }
    }

    func path(of key: String) -> String? {
        text(key).flatMap(reading.path)
    }

    /// Text only: a plain `123`, `true` or empty value is a mistake here, unless it was interpolated.
    static func text(
        _ value: YAMLValue, name: String, expected: String = "text", reading: Reading
    ) -> Text? {
        guard case .scalar(let scalar) = value.content else {
            reading.mismatch(value, name, expected: expected)
            return nil
        }
        guard let text = interpolated(scalar, at: value.position, name: name, reading: reading) else { return nil }
        if scalar.kind == .text { return text }
        let remedy = scalar.kind == .null ? "give it a text or remove the key" : "put it in quotes"
        reading.refuse(value.position, "\(name): expected \(expected), got \(scalar.kind.rawValue); \(remedy)")
        return nil
    }

    private static func interpolated(
        _ scalar: YAMLScalar, at position: YAMLPosition, name: String, reading: Reading
    ) -> Text? {
        do throws(Interpolation.Failure) {
            let result = try Interpolation(scalar.text, environment: reading.environment)
            return Text(
                name: name, position: position, raw: scalar.text, value: result.text, pieces: result.pieces)
        } catch {
            if !error.isUnset || reading.reportsUnsetVariables { reading.refuse(position, "\(name): \(error.message)") }
            return nil
        }
    }

    /// The text of a value that YAML types by its looks: plain, or interpolated inside quotes.
    func typed(_ key: String, expected: String) -> Text? {
        guard let value = value(key) else { return nil }
        guard case .scalar(let scalar) = value.content else {
            reading.mismatch(value, path(key), expected: expected)
            return nil
        }
        guard let text = Self.interpolated(scalar, at: value.position, name: path(key), reading: reading) else {
            return nil
        }
        if scalar.plain && scalar.kind != .null || text.isInterpolated { return text }
        let got = scalar.plain ? "nothing" : "the quoted text '\(printable(text.raw))'; remove the quotes"
        reading.refuse(value.position, "\(path(key)): expected \(expected), got \(got)")
        return nil
    }
}
