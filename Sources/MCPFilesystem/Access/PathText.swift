/// Paths as text. All comparisons are of bytes: `String` holds two spellings of one character for equal, the file
/// system does not.
enum PathText {
    /// Without empty and `.` components and without a slash at the end; `..` stays, since only the file system knows
    /// where it leads. Never empty: `.` where nothing is left.
    static func normalised(_ path: String) -> String {
        let parts = components(path)
        let isAbsolute = path.utf8.first == slash
        if parts.isEmpty { return isAbsolute ? "/" : "." }
        return (isAbsolute ? "/" : "") + parts.joined(separator: "/")
    }

    /// The components but the empty ones and `.`.
    static func components(_ path: String) -> [String] {
        path.utf8.split(separator: slash).map { String(Substring($0)) }.filter { !isEqual($0, ".") }
    }

    /// What of `path` stands below `directory`, both normalised; `.` for the directory itself, `nil` when the path does
    /// not begin with it.
    static func remainder(of path: String, below directory: String) -> String? {
        if isEqual(directory, "/") { return normalised(String(Substring(path.utf8.dropFirst()))) }
        guard path.utf8.starts(with: directory.utf8) else { return nil }
        let rest = path.utf8.dropFirst(directory.utf8.count)
        if rest.isEmpty { return "." }
        return rest.first == slash ? String(Substring(rest.dropFirst())) : nil
    }

    /// `directory` and `name` with one slash between, either left out when it says nothing.
    static func joined(_ directory: String, _ name: String) -> String {
        if isEqual(directory, ".") || directory.isEmpty { return name }
        if isEqual(name, ".") { return directory }
        return directory.utf8.last == slash ? directory + name : directory + "/" + name
    }

    static func isEqual(_ left: String, _ right: String) -> Bool {
        left.utf8.elementsEqual(right.utf8)
    }

    private static let slash = UInt8(ascii: "/")
}
