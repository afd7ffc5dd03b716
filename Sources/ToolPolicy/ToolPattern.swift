internal import GatewayConfiguration

/// A set of tool names: exact ones and globs. Case-sensitive, compared by bytes: Swift's own string comparison would
/// take canonically equivalent names for the same.
public struct ToolPattern: Sendable {
    private let exact: Set<ExactName>
    private let globs: [Glob]

    /// Takes the entries as the operator wrote them.
    public init(_ entries: [String]) {
        exact = Set(entries.filter { !Glob.isPattern($0) }.map(ExactName.init))
        globs = entries.filter(Glob.isPattern).map(Glob.init)
    }

    /// Whether an entry names or matches `tool`.
    public func matches(_ tool: String) -> Bool {
        exact.contains(ExactName(tool)) || globs.contains { $0.matches(tool) }
    }
}

/// A string that equals another only when their UTF-8 bytes are equal.
public struct ExactName: Hashable, Sendable {
    /// The name.
    public let string: String

    /// Wraps a name.
    public init(_ string: String) {
        self.string = string
    }

    /// Compares bytes.
    public static func == (left: ExactName, right: ExactName) -> Bool {
        left.string.utf8.elementsEqual(right.string.utf8)
    }

    /// Feeds the bytes.
    public func hash(into hasher: inout Hasher) {
        var copy = string
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
