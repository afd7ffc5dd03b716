internal import Glibc

/// The names in a directory that the search needs; an unreadable directory lists nothing.
enum DirectoryListing {
    /// A directory with more names than this is not searched to its end.
    private static let limit = 10_000

    /// `<pid>.pid` of stdio instances, by pid.
    static func numberedPIDFiles(in directory: String) -> [String] {
        names(in: directory)
            .compactMap { name in name.hasSuffix(".pid") ? Int32(name.dropLast(4)).map { ($0, name) } : nil }
            .filter { $0.0 > 0 }
            .sorted { $0.0 < $1.0 }
            .map { "\(directory)/\($0.1)" }
    }

    /// `gatekit-<instance>` in /run.
    static func instances(in parent: String) -> [String] {
        names(in: parent)
            // Not a RuntimeDirectory: activated sockets live there.
            .filter { $0.hasPrefix("gatekit-") && $0 != "gatekit-sockets" }
            .sorted()
            .map { "\(parent)/\($0)" }
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < limit, let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }
}
