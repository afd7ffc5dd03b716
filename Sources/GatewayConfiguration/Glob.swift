/// A pattern with `*` (any run of characters) and `?` (one Unicode scalar), for names of tools and of variables.
///
/// Compares scalars, never by canonical equivalence: two names that differ in bytes are two names.
public struct Glob: Hashable, Sendable {
    private let scalars: [Unicode.Scalar]

    /// Takes the pattern as the operator wrote it.
    public init(_ pattern: String) {
        scalars = Array(pattern.unicodeScalars)
    }

    /// Whether a text is a pattern at all, and not just a name.
    public static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
    }

    /// Whether the whole name matches. Takes at most name × pattern steps: when a match fails only the last star ever
    /// needs to give way.
    public func matches(_ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var (at, position) = (0, 0)
        var retry: (pattern: Int, name: Int)?
        while position < name.count {
            if at < scalars.count, scalars[at] == "*" {
                at += 1
                retry = (at, position)
            } else if at < scalars.count, scalars[at] == "?" || scalars[at] == name[position] {
                at += 1
                position += 1
            } else if let last = retry {
                retry = (last.pattern, last.name + 1)
                (at, position) = (last.pattern, last.name + 1)
            } else {
                return false
            }
        }
        return scalars[at...].allSatisfy { $0 == "*" }
    }
}
