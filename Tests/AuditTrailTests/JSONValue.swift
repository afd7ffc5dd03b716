@testable import AuditTrail

/// A deterministic source of random values (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// JSON as the tests read it back: strict, and independent of the code under test.
indirect enum JSONValue: Equatable {
    case object([Member])
    case array([JSONValue])
    case text(String)
    case number(String)
    case literal(String)

    struct Member: Equatable {
        var name: String
        var value: JSONValue
    }

    var string: String? {
        if case .text(let text) = self { text } else { nil }
    }

    subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    // MARK: Making

    private static let names = [
        "a", "path", "Password", "api_KEY", "x-secret-y", "token", "credentials", "", "ключ", "b\n\u{202E}",
    ]
    private static let pieces = [
        "x", "\"", "\\", "\n", "\u{0}", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{2028}", "\u{202e}", "\u{2066}", "é", "😀",
        "{", "[", ":", "123", "null", "\u{FEFF}", "\u{61C}", "\t", "/",
    ]

    static func isSensitive(_ name: String) -> Bool {
        ["password", "key", "secret", "token", "credential"].contains { name.lowercased().range(of: $0) != nil }
    }

    static func randomText(_ dice: inout Dice) -> String {
        // A leading letter: text that begins like JSON is looked into.
        "t" + (0..<Int.random(in: 0...12, using: &dice)).map { _ in pieces.randomElement(using: &dice) ?? "" }.joined()
    }

    static func random(_ dice: inout Dice, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 5 ? 3 : 6), using: &dice) {
        case 0: .text(randomText(&dice))
        case 1: .number(["0", "-1", "1.50", "12e-7", "9007199254740993"].randomElement(using: &dice) ?? "0")
        case 2: .literal(["true", "false", "null"].randomElement(using: &dice) ?? "null")
        case 3: .array((0..<Int.random(in: 0...4, using: &dice)).map { _ in random(&dice, depth: depth + 1) })
        default:
            .object(
                (0..<Int.random(in: 0...4, using: &dice)).map { _ in
                    let name = names.randomElement(using: &dice) ?? ""
                    let value = random(&dice, depth: depth + 1)
                    return Member(name: name, value: isSensitive(name) ? .array([.text("PLANTED"), value]) : value)
                })
        }
    }

    /// What may be shown of it.
    var hidden: JSONValue {
        switch self {
        case .object(let members):
            .object(
                members.map {
                    Member(name: $0.name, value: Self.isSensitive($0.name) ? .text("***REDACTED***") : $0.value.hidden)
                })
        case .array(let values): .array(values.map(\.hidden))
        default: self
        }
    }

    /// JSON text for it, with white space and escapes as they come.
    func text(_ dice: inout Dice) -> String {
        func space(_ dice: inout Dice) -> String { ["", "", " ", "\n", "\t\r\n"].randomElement(using: &dice) ?? "" }
        var parts: [String] = []
        switch self {
        case .text(let text): return Self.quoted(text, &dice)
        case .number(let text), .literal(let text): return text
        case .array(let values):
            for value in values { parts.append(space(&dice) + value.text(&dice) + space(&dice)) }
            return "[" + (parts.isEmpty ? space(&dice) : parts.joined(separator: ",")) + "]"
        case .object(let members):
            for member in members {
                let name = space(&dice) + Self.quoted(member.name, &dice) + space(&dice)
                parts.append(name + ":" + space(&dice) + member.value.text(&dice) + space(&dice))
            }
            return "{" + (parts.isEmpty ? space(&dice) : parts.joined(separator: ",")) + "}"
        }
    }

    private static func quoted(_ text: String, _ dice: inout Dice) -> String {
        var out = "\""
        for unit in text.utf16 {
            let plain = unit >= 0x20 && unit < 0x7F && unit != 0x22 && unit != 0x5C
            if plain, Int.random(in: 0..<5, using: &dice) > 0 {
                out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            } else {
                let hex = String(unit, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
        }
        return out + "\""
    }

    // MARK: Reading

    /// Strictly RFC 8259, on one line; nil when it is not, or when it holds a raw character that no record may show.
    static func parse(_ text: String) -> JSONValue? {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: return nil
            default: break
            }
        }
        var reader = Reader(rest: Array(text.unicodeScalars)[...])
        guard let value = reader.value(), reader.rest.isEmpty else { return nil }
        return value
    }

    private struct Reader {
        var rest: ArraySlice<Unicode.Scalar>

        mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard rest.first == scalar else { return false }
            rest.removeFirst()
            return true
        }

        mutating func space() {
            while rest.first == " " { rest.removeFirst() }
        }

        mutating func value() -> JSONValue? {
            switch rest.first {
            case "{": return object()
            case "[": return array()
            case "\"": return string().map { .text($0) }
            default: return token()
            }
        }

        mutating func object() -> JSONValue? {
            guard take("{") else { return nil }
            var members: [Member] = []
            if take("}") { return .object([]) }
            repeat {
                space()
                guard let name = string(), take(":") else { return nil }
                space()
                guard let value = value() else { return nil }
                members.append(Member(name: name, value: value))
            } while take(",")
            return take("}") ? .object(members) : nil
        }

        mutating func array() -> JSONValue? {
            guard take("[") else { return nil }
            if take("]") { return .array([]) }
            var values: [JSONValue] = []
            repeat {
                space()
                guard let value = value() else { return nil }
                values.append(value)
            } while take(",")
            return take("]") ? .array(values) : nil
        }

        mutating func string() -> String? {
            guard take("\"") else { return nil }
            var units: [UInt16] = []
            while let scalar = rest.popFirst() {
                switch scalar {
                case "\"": return String(decoding: units, as: UTF16.self)
                case "\\":
                    guard let letter = rest.popFirst() else { return nil }
                    switch letter {
                    case "\"", "\\", "/": units.append(UInt16(letter.value))
                    case "n": units.append(10)
                    case "r": units.append(13)
                    case "t": units.append(9)
                    case "u":
                        guard rest.count >= 4,
                            let unit = UInt16(String(String.UnicodeScalarView(rest.prefix(4))), radix: 16)
                        else { return nil }
                        rest = rest.dropFirst(4)
                        units.append(unit)
                    default: return nil
                    }
                default: units += Array(String(scalar).utf16)
                }
            }
            return nil
        }

        mutating func token() -> JSONValue? {
            var text = ""
            while let scalar = rest.first, "0123456789+-.abcdefghijklmnopqrstuvwxyzE".unicodeScalars.contains(scalar) {
                text.unicodeScalars.append(scalar)
                rest.removeFirst()
            }
            if ["true", "false", "null"].contains(text) { return .literal(text) }
            return Double(text) == nil || text.hasPrefix("+") ? nil : .number(text)
        }
    }
}
