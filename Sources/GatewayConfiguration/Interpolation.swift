/// `${NAME}` and `${NAME:-default}` inside one scalar of the YAML file. Map keys are never interpolated, and what was
/// put in is never looked at again: not for further references, YAML types, quotes or spaces.
struct Interpolation {
    /// A piece of the result.
    enum Piece: Hashable {
        /// As written in the file.
        case literal(String)
        /// From the environment, or a default, in the place of `reference`.
        case value(String, reference: String)
    }

    /// Why a scalar cannot be interpolated; names the variable, never a value.
    struct Failure: Error {
        var message: String
        /// False when the text itself is malformed.
        var isUnset: Bool
    }

    /// In order; empty for an empty scalar.
    let pieces: [Piece]

    /// The whole text.
    var text: String {
        pieces.map { piece in
            switch piece {
            case .literal(let text), .value(let text, _): text
            }
        }.joined()
    }

    /// A default stands in for a variable that is unset or empty, as in a shell.
    init(_ text: String, environment: [String: String]) throws(Failure) {
        var pieces: [Piece] = []
        var rest = text.unicodeScalars[...]
        while let start = rest.indices.first(where: { rest[$0] == "$" && rest[rest.index(after: $0)...].first == "{" })
        {
            let inside = rest[start...].dropFirst(2)
            guard let end = inside.firstIndex(of: "}") else {
                throw Failure(message: "'${' without its '}'", isUnset: false)
            }
            if start > rest.startIndex { pieces.append(.literal(String(rest[..<start]))) }
            let reference = String(inside[..<end])
            pieces.append(
                .value(try Self.resolve(reference, environment: environment), reference: "${\(reference)}"))
            rest = rest[inside.index(after: end)...]
        }
        if !rest.isEmpty { pieces.append(.literal(String(rest))) }
        self.pieces = pieces
    }

    private static func resolve(_ reference: String, environment: [String: String]) throws(Failure) -> String {
        let name = reference.prefix { $0 != ":" }
        let rest = reference.dropFirst(name.count)
        guard EnvironmentName.isValid(name), rest.isEmpty || rest.hasPrefix(":-") else {
            throw Failure(
                message: "'${\(printable(reference))}' is no reference (valid: ${NAME}, ${NAME:-default})",
                isUnset: false)
        }
        if let value = environment[String(name)], rest.isEmpty || !value.isEmpty { return value }
        guard !rest.isEmpty else {
            throw Failure(
                message: "the variable \(name) is not set; set it in the environment or in .env, "
                    + "or give a default: ${\(name):-…}", isUnset: true)
        }
        return String(rest.dropFirst(2))
    }
}

/// Names of environment variables.
enum EnvironmentName {
    /// POSIX's portable names: letters, digits and `_`, not beginning with a digit.
    static func isValid(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy(isNameByte)
    }

    /// The same with `*` and `?` anywhere.
    static func isValidPattern(_ pattern: String) -> Bool {
        !pattern.isEmpty && pattern.utf8.allSatisfy { isNameByte($0) || "*?".utf8.contains($0) }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
