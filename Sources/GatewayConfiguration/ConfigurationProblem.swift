/// One thing that is wrong, or worth a warning, in a file that the operator wrote.
///
/// The message is lower case, names the key and what is valid, and never holds a value that came from the environment
/// or from `.env`.
public struct ConfigurationProblem: Error, Hashable, Sendable {
    /// The file as the caller named it; `environment` for a variable of the process.
    public var file: String
    /// 1-based; nil when the file itself is the problem.
    public var line: Int?
    /// 1-based, in Unicode scalars; nil where only a line is known (`.env`) or the file itself is the problem.
    public var column: Int?
    /// What is wrong and what would be right.
    public var message: String

    /// Joins a problem's parts.
    public init(file: String, line: Int? = nil, column: Int? = nil, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `file:line:column: message`, without the parts that are not known.
    public var description: String {
        ([file] + [line, column].compactMap { $0.map(String.init) }).joined(separator: ":") + ": " + message
    }
}

extension ConfigurationProblem: Comparable {
    /// By file, then by position, then by text, so that a list of problems has one order.
    public static func < (left: ConfigurationProblem, right: ConfigurationProblem) -> Bool {
        (left.file, left.line ?? 0, left.column ?? 0, left.message)
            < (right.file, right.line ?? 0, right.column ?? 0, right.message)
    }
}

/// Everything that is wrong with a configuration, reported in one go.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// Sorted by position, never empty, each once.
    public let problems: [ConfigurationProblem]

    /// Sorts the problems and drops repetitions. `problems` holds at least one.
    public init(problems: [ConfigurationProblem]) {
        precondition(!problems.isEmpty, "an error needs a problem")
        self.problems = Set(problems).sorted()
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// One problem a line.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
