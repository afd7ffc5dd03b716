/// Values with a type and a range.
extension Section {
    /// `true` or `false`, as YAML's core schema has them.
    func flag(_ key: String) -> Bool? {
        guard let text = typed(key, expected: "true or false") else { return nil }
        switch text.value {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default:
            let old = ["yes", "no", "on", "off", "y", "n"].contains(text.value.lowercased())
            let hint = old ? "; YAML 1.1's yes, no, on and off are not taken" : ""
            reading.refuse(
                text.position, "\(text.name): expected true or false, got '\(printable(text.raw))'\(hint)")
            return nil
        }
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = typed(key, expected: "a whole number") else { return nil }
        let digits = text.value.hasPrefix("-") ? text.value.dropFirst() : text.value[...]
        let isDecimal =
            !digits.isEmpty && digits.utf8.allSatisfy { ("0"..."9").contains(Character(Unicode.Scalar($0))) }
        guard isDecimal else {
            reading.refuse(text.position, "\(text.name): expected a whole number, got '\(printable(text.raw))'")
            return nil
        }
        guard digits.count == 1 || !digits.hasPrefix("0") else {
            reading.refuse(
                text.position,
                "\(text.name): '\(printable(text.raw))' is octal to some YAML readers; write it without the leading zero"
            )
            return nil
        }
        guard let number = Int(text.value), range.contains(number) else {
            reading.refuse(
                text.position,
                "\(text.name) is out of range: \(printable(text.raw)) (valid: \(range.lowerBound) to \(range.upperBound))"
            )
            return nil
        }
        return number
    }

    /// A whole or fractional number, decimal.
    func number(_ key: String, in range: ClosedRange<Double>, unit: String) -> Double? {
        guard let text = typed(key, expected: "a number of \(unit)") else { return nil }
        let isDecimal = text.value.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) }
        guard isDecimal, let number = Double(text.value) else {
            reading.refuse(text.position, "\(text.name): expected a number of \(unit), got '\(printable(text.raw))'")
            return nil
        }
        guard range.contains(number) else {
            let valid = "\(Self.shown(range.lowerBound)) to \(Self.shown(range.upperBound)) \(unit)"
            reading.refuse(text.position, "\(text.name) is out of range: \(printable(text.raw)) (valid: \(valid))")
            return nil
        }
        return number
    }

    /// One of an enumeration's words, or of its aliases.
    func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ key: String, _: Value.Type, aliases: [String: Value] = [:]
    ) -> Value? {
        guard let text = text(key) else { return nil }
        return Self.choice(text, noun: key, aliases: aliases, reading: reading)
    }

    static func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ text: Text, noun: String, aliases: [String: Value] = [:], reading: Reading
    ) -> Value? {
        if let value = Value(rawValue: text.value) ?? aliases[text.value] { return value }
        let words = Value.allCases.map(\.rawValue)
        // Signs would drown among the commas of the list.
        let valid = words.map { $0.utf8.count > 1 ? $0 : "'\($0)'" }.joined(separator: ", ")
        let nearest =
            text.raw == text.value
            ? nearestName(to: text.value, among: words + aliases.keys.sorted()).map { "; did you mean '\($0)'?" } : nil
        reading.refuse(
            text.position,
            "unknown \(noun) '\(printable(text.raw))'\(nearest ?? "") (valid: \(valid))")
        return nil
    }

    /// Permission bits. The scalar's text is always octal, quoted or not: YAML readers disagree about `0660`.
    func permissions(_ key: String, valid: String, _ isValid: (UInt32) -> Bool) -> UInt32? {
        guard let value = value(key) else { return nil }
        guard case .scalar(let scalar) = value.content,
            let text = Self.text(
                YAMLValue(position: value.position, content: .scalar(YAMLScalar(text: scalar.text, plain: false))),
                name: path(key), reading: reading)
        else {
            if case .scalar = value.content { return nil }
            reading.mismatch(value, path(key), expected: "an octal mode", remedy: " (valid: \(valid))")
            return nil
        }
        let digits = text.value.hasPrefix("0o") ? text.value.dropFirst(2) : text.value[...]
        let isOctal = (3...4).contains(digits.utf8.count) && digits.utf8.allSatisfy { (0x30...0x37).contains($0) }
        guard isOctal, let mode = UInt32(digits, radix: 8), isValid(mode) else {
            reading.refuse(text.position, "\(text.name): '\(printable(text.raw))' is no valid mode (valid: \(valid))")
            return nil
        }
        return mode
    }

    /// The name of a system group. Whether it exists is known only where it is used.
    func group(_ key: String) -> String? {
        guard let text = nonEmptyText(key) else { return nil }
        let isName = text.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        if isName, text.value.utf8.count <= 32 { return text.value }
        reading.refuse(
            text.position,
            "\(text.name): '\(printable(text.raw))' is no group name (valid: up to 32 characters, no spaces)")
        return nil
    }

    /// A number without a trailing `.0`.
    static func shown(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }
}
