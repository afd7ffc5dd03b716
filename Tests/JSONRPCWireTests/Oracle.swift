import JSONRPCWire
import NIOCore

@testable import enum JSONRPCWire.Level
@testable import enum JSONRPCWire.MemberNames

/// A second implementation of the scanner's rules, written for clearness alone: a recursive parser that builds values,
/// sets of names, and the standard library's own UTF-8 check.
enum Oracle {
    enum Verdict: Equatable {
        case noJSON
        case refused(id: String?, isResponse: Bool)
        case message(MessageKind, id: String?)
        case batch(Int)
    }

    /// Text as its UTF-16 code units, since that is all that can hold a lone surrogate.
    typealias Text = [UInt16]

    indirect enum Value {
        case object([(name: Text, value: Value)], source: String)
        case array([Value])
        case string(Text, source: String)
        case number(source: String)
        case literal(String)
    }

    static func verdict(_ bytes: [UInt8]) -> Verdict {
        guard let text = String(validating: bytes, as: UTF8.self) else { return .noJSON }
        var parser = Parser(scalars: Array(text.unicodeScalars))
        guard let value = try? parser.document() else { return .noJSON }  // the one error says no more than this
        switch value {
        case .array(let elements): return (1...64).contains(elements.count) ? .batch(elements.count) : refused
        case .object(let members, _): return judge(members)
        default: return refused
        }
    }

    private static let refused = Verdict.refused(id: nil, isResponse: false)

    private static func judge(_ members: [(name: Text, value: Value)]) -> Verdict {
        func values(_ name: String) -> [Value] { members.filter { $0.name == Text(name.utf16) }.map(\.value) }
        func first(_ name: String) -> Value? { values(name).first }

        let idIsClear = members.filter { folded($0.name) == folded(Text("id".utf16)) }.count == 1
        let id = first("id").flatMap(lexeme)
        let hasOutcome = first("result") != nil || first("error") != nil
        let failure = Verdict.refused(id: idIsClear ? id : nil, isResponse: hasOutcome && first("method") == nil)

        var areNamesClear = isClear(members, .envelope)
        for (level, name) in [(Level.params, "params"), (.result, "result"), (.error, "error")] {
            for case .object(let inner, _) in values(name) {
                areNamesClear = areNamesClear && isClear(inner, level)
                guard level == .params else { continue }
                for case (Text("_meta".utf16), .object(let meta, _)) in inner {
                    areNamesClear = areNamesClear && isClear(meta, .meta)
                }
            }
        }
        guard areNamesClear, case .string(Text("2.0".utf16), _) = first("jsonrpc") else { return failure }

        if let method = first("method") {
            guard case .string(let text, _) = method, !hasLoneSurrogate(text), !hasOutcome else { return failure }
            if let params = first("params") {
                guard case .object = params else { return failure }
            }
            if first("id") == nil { return .message(.notification, id: nil) }
            return id == nil ? failure : .message(.request, id: id)
        }
        switch (first("result"), first("error")) {
        case (.some, nil): return id == nil ? failure : .message(.result, id: id)
        case (nil, .object):
            if case .literal("null") = first("id") { return .message(.error, id: "null") }
            return first("id") != nil && id == nil ? failure : .message(.error, id: id)
        default: return failure
        }
    }

    private static func isClear(_ members: [(name: Text, value: Value)], _ level: Level) -> Bool {
        guard Set(members.map(\.name)).count == members.count else { return false }
        let known = MemberNames.names(of: level).map { Text($0.text.utf16) }
        return members.allSatisfy { member in
            !hasLoneSurrogate(member.name)
                && !known.contains { folded($0) == folded(member.name) && $0 != member.name }
        }
    }

    private static func folded(_ text: Text) -> Text {
        text.map { unit in
            switch unit {
            case 0x17F: 0x73
            case 0x212A: 0x6B
            case 0x41...0x5A: unit + 0x20
            default: unit
            }
        }
    }

    private static func hasLoneSurrogate(_ text: Text) -> Bool {
        String(validating: text, as: UTF16.self) == nil
    }

    /// An id as it was sent, if it is one that can be answered.
    private static func lexeme(_ value: Value) -> String? {
        switch value {
        case .string(let text, let source): hasLoneSurrogate(text) || source.utf8.count > 1024 ? nil : source
        case .number(let source): source.utf8.count > 1024 || hasHugeExponent(source) ? nil : source
        default: nil
        }
    }

    private static func hasHugeExponent(_ source: String) -> Bool {
        let exponent = source.lowercased().split(separator: "e").dropFirst().first ?? ""
        return exponent.filter(\.isNumber).drop { $0 == "0" }.count > 4
    }
}

extension Oracle {
    private struct ParseError: Error {}

    private struct Parser {
        var scalars: [Unicode.Scalar]
        var position = 0

        mutating func document() throws -> Value {
            skipSpace()
            let result = try value()
            skipSpace()
            guard position == scalars.count else { throw ParseError() }
            return result
        }

        private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard current == scalar else { return false }
            position += 1
            return true
        }

        private mutating func skipSpace() {
            while let scalar = current, " \t\n\r".unicodeScalars.contains(scalar) { position += 1 }
        }

        private func source(from start: Int) -> String {
            String(String.UnicodeScalarView(scalars[start..<position]))
        }

        private mutating func value() throws -> Value {
            let start = position
            if take("{") {
                let members = try list(until: "}") { parser in
                    guard case .string(let name, _) = try parser.string() else { throw ParseError() }
                    parser.skipSpace()
                    guard parser.take(":") else { throw ParseError() }
                    parser.skipSpace()
                    return (name: name, value: try parser.value())
                }
                return .object(members, source: source(from: start))
            }
            if take("[") { return .array(try list(until: "]") { try $0.value() }) }
            if current == "\"" { return try string() }
            for literal in ["true", "false", "null"]
            where scalars[position...].starts(with: literal.unicodeScalars) {
                position += literal.unicodeScalars.count
                return .literal(literal)
            }
            return try number()
        }

        private mutating func list<Item>(
            until end: Unicode.Scalar, _ item: (inout Parser) throws -> Item
        ) throws -> [Item] {
            var items: [Item] = []
            skipSpace()
            if take(end) { return items }
            repeat {
                skipSpace()
                items.append(try item(&self))
                skipSpace()
            } while take(",")
            guard take(end) else { throw ParseError() }
            return items
        }

        private mutating func number() throws -> Value {
            let start = position
            _ = take("-")
            if !take("0") { try digits() }
            if take(".") { try digits() }
            if take("e") || take("E") {
                if !take("+") { _ = take("-") }
                try digits()
            }
            return .number(source: source(from: start))
        }

        private mutating func digits() throws {
            let start = position
            while let scalar = current, ("0"..."9").contains(scalar) { position += 1 }
            guard position > start else { throw ParseError() }
        }

        private mutating func string() throws -> Value {
            let start = position
            guard take("\"") else { throw ParseError() }
            var text: Text = []
            while !take("\"") {
                guard let scalar = current, scalar.value >= 0x20 else { throw ParseError() }
                position += 1
                text += scalar == "\\" ? [try escape()] : Text(String(scalar).utf16)
            }
            return .string(text, source: source(from: start))
        }

        private mutating func escape() throws -> UInt16 {
            guard let scalar = current else { throw ParseError() }
            position += 1
            if scalar == "u" {
                let digits = scalars[position...].prefix(4)
                guard digits.count == 4, digits.allSatisfy({ $0.isASCII && $0.properties.isASCIIHexDigit }) else {
                    throw ParseError()
                }
                position += 4
                // Four hexadecimal digits always fit.
                return UInt16(String(String.UnicodeScalarView(digits)), radix: 16) ?? 0
            }
            let plain: [Unicode.Scalar: UInt16] = [
                "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
            ]
            guard let unit = plain[scalar] else { throw ParseError() }
            return unit
        }
    }
}
