/// A `.env` file: the rules are python-dotenv's, fixed by the golden vectors, save that a malformed line is an error
/// here instead of being skipped.
///
/// `export` prefix, `#` comments, quoted keys, single and double quotes with their escapes and over several lines,
/// `${NAME}` and `${NAME:-default}` in every value (a default stands in only for a variable that does not exist). Of
/// duplicates the last wins.
struct DotEnv: Hashable, Sendable {
    /// One `NAME=value`, before references are replaced.
    struct Binding: Hashable, Sendable {
        var name: String
        /// nil when the line holds a name alone: it sets nothing.
        var value: String?
        var line: Int
    }

    /// In the order written.
    let bindings: [Binding]
    /// Each malformed line with its number; the text names no value.
    let problems: [Problem]

    /// A malformed line.
    struct Problem: Hashable, Sendable {
        var line: Int
        var message: String
    }

    /// Parses a file's bytes. Never fails as a whole: what can be read is in ``bindings``, the rest in ``problems``.
    init(_ bytes: [UInt8]) {
        // A mark at the beginning, as some editors leave it, would make the first name another one.
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            bindings = []
            problems = [Problem(line: 1, message: "not valid UTF-8; save the file as UTF-8")]
            return
        }
        var parser = DotEnvParser(text)
        parser.run()
        bindings = parser.bindings
        problems = parser.problems
    }

    /// Whether the file's values or the process's win.
    ///
    /// At the start the process's environment wins; at a reload the file does, since flipping a switch on a running
    /// gateway is what it is for. A name that is gone from the file has the process's start value again.
    enum Precedence {
        case process, file
    }

    /// The file's variables with their references replaced.
    func variables(process: [String: String], precedence: Precedence) -> [String: String] {
        var variables: [String: String] = [:]
        for binding in bindings {
            guard let value = binding.value else {
                variables[binding.name] = nil
                continue
            }
            variables[binding.name] = Self.replaceReferences(in: value) { name in
                switch precedence {
                case .process: process[name] ?? variables[name]
                case .file: variables[name] ?? process[name]
                }
            }
        }
        return variables
    }

    /// The process's environment and the file's variables as one.
    func merged(process: [String: String], precedence: Precedence) -> [String: String] {
        let variables = variables(process: process, precedence: precedence)
        return process.merging(variables) { fromProcess, fromFile in
            switch precedence {
            case .process: fromProcess
            case .file: fromFile
            }
        }
    }

    /// The line of a name's last binding.
    func line(of name: String) -> Int? {
        bindings.last { $0.name == name }?.line
    }

    private static func replaceReferences(in value: String, from lookUp: (String) -> String?) -> String {
        var result = String.UnicodeScalarView()
        var rest = value.unicodeScalars[...]
        while let start = rest.firstIndex(of: "$") {
            result.append(contentsOf: rest[..<start])
            let inside = rest[start...].dropFirst(2)
            guard rest[start...].dropFirst().first == "{" else {
                result.append("$")
                rest = rest[start...].dropFirst()
                continue
            }
            // Without a brace in all the rest there is no reference in it either.
            guard let end = inside.firstIndex(of: "}") else { break }
            let name = inside[..<end].prefix { $0 != ":" }
            let fallback = inside[name.endIndex..<end]
            if fallback.isEmpty || fallback.starts(with: ":-".unicodeScalars) {
                let replacement = lookUp(String(name)) ?? String(fallback.dropFirst(2))
                result.append(contentsOf: replacement.unicodeScalars)
                rest = rest[inside.index(after: end)...]
            } else {
                result.append("$")
                rest = rest[start...].dropFirst()
            }
        }
        result.append(contentsOf: rest)
        return String(result)
    }
}
