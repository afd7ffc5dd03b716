internal import JSONRPCWire
internal import NIOCore

extension Tool {
    static let listDirectory = Tool(
        name: "list_directory", title: "List directory",
        description:
            "Returns the entries of a directory, one in a line, marked [FILE] or [DIR]. A symbolic link counts "
            + "as a file.",
        parameters: [.required("path", .text, "The directory.")], effect: .reads
    ) { (arguments, workspace) throws(FilesystemError) in
        let location = try workspace.locate(try arguments.text("path"))
        let nodes = try DirectoryTree.list(location, maxEntries: workspace.limits.maxEntries)
        return nodes.map { "\($0.isDirectory ? "[DIR]" : "[FILE]") \(lineText($0.name))" }.joined(separator: "\n")
    }

    static let directoryTree = Tool(
        name: "directory_tree", title: "Directory tree",
        description: "Returns all that is below a directory as JSON: an array of objects with name, type (file or "
            + "directory) and, for a directory, children.",
        parameters: [.required("path", .text, "The directory."), .excludes], effect: .reads
    ) { (arguments, workspace) throws(FilesystemError) in
        let location = try workspace.locate(try arguments.text("path"))
        var tree = DirectoryTree(
            given: location.given, excluding: try excludes(arguments, workspace),
            maxEntries: workspace.limits.maxEntries, cap: "max_entries", maxDepth: workspace.limits.maxDepth)
        let nodes = try tree.read(location)
        if let first = tree.unreadable.first {
            throw FilesystemError(
                .system,
                "cannot read the directory \"\(first)\" in \"\(location.given)\"; leave it out with "
                    + "excludePatterns")
        }
        var buffer = ByteBuffer()
        append(nodes, indentation: 0, to: &buffer)
        return String(buffer: buffer)
    }

    static let searchFiles = Tool(
        name: "search_files", title: "Search files",
        description:
            "Returns the paths of files and directories below a directory that match a pattern, one in a line. "
            + "Patterns know *, ?, [a-z], {a,b} and **. A pattern without a slash is for the name, at any level; with "
            + "one, for the path below the directory. A pattern of plain characters finds names that contain it, in "
            + "either case.",
        parameters: [
            .required("path", .text, "Where to begin."), .required("pattern", .text, "What to find, as *.txt"),
            .excludes,
        ], effect: .reads
    ) { (arguments, workspace) throws(FilesystemError) in
        let location = try workspace.locate(try arguments.text("path"))
        let pattern = try SearchPattern(try arguments.text("pattern"))
        var tree = DirectoryTree(
            given: location.given, excluding: try excludes(arguments, workspace),
            maxEntries: workspace.limits.maxSearchedEntries, cap: "max_searched_entries",
            maxDepth: workspace.limits.maxDepth)
        let nodes = try tree.read(location)
        var found: [String] = []
        try search(nodes, for: pattern, in: location, prefix: "", cap: workspace.limits.maxMatches, into: &found)
        if found.isEmpty { found = ["No matches found"] }
        found += tree.unreadable.map { "(not searched: \(lineText(PathText.joined(location.path, $0))))" }
        return found.joined(separator: "\n")
    }

    private static func excludes(_ arguments: Arguments, _ workspace: Workspace) throws(FilesystemError) -> [Glob] {
        let patterns = try arguments.texts("excludePatterns", max: workspace.limits.maxItems)
        return try patterns.map { (pattern) throws(FilesystemError) in try Glob(pattern) }
    }

    private static func search(
        _ nodes: [TreeNode], for pattern: SearchPattern, in location: Location, prefix: String, cap: Int,
        into found: inout [String]
    ) throws(FilesystemError) {
        for node in nodes {
            let path = PathText.joined(prefix, node.name)
            if pattern.matches(path, name: node.name) {
                guard found.count < cap else {
                    throw FilesystemError(
                        .tooLarge,
                        "more than the \(cap) matches that max_matches allows are in \"\(location.given)\"; "
                            + "narrow the pattern, or start further down")
                }
                found.append(lineText(PathText.joined(location.path, path)))
            }
            try search(node.children, for: pattern, in: location, prefix: path, cap: cap, into: &found)
        }
    }

    private static func append(_ nodes: [TreeNode], indentation: Int, to buffer: inout ByteBuffer) {
        let indent = String(repeating: " ", count: indentation)
        buffer.writeStaticString("[")
        for (index, node) in nodes.enumerated() {
            buffer.writeString("\(index == 0 ? "" : ",")\n\(indent)  {\n\(indent)    \"name\": ")
            JSONText.appendQuoted(node.name, to: &buffer)
            buffer.writeString(",\n\(indent)    \"type\": \"\(node.isDirectory ? "directory" : "file")\"")
            if node.isDirectory {
                buffer.writeString(",\n\(indent)    \"children\": ")
                append(node.children, indentation: indentation + 4, to: &buffer)
            }
            buffer.writeString("\n\(indent)  }")
        }
        buffer.writeString(nodes.isEmpty ? "]" : "\n\(indent)]")
    }
}

/// What `search_files` looks for.
struct SearchPattern: Sendable {
    private let glob: Glob
    /// The lower-cased text, where the pattern is plain.
    private let plain: [UInt8]?

    init(_ pattern: String) throws(FilesystemError) {
        glob = try Glob(pattern)
        let isPlain = !pattern.utf8.contains { "*?[]{}\\/".utf8.contains($0) }
        plain = isPlain ? Array(pattern.lowercased().utf8) : nil
    }

    /// Whether the path below the searched directory, whose last component is `name`, is looked for.
    func matches(_ path: String, name: String) -> Bool {
        guard let plain else { return glob.matches(path) }
        let text = Array(name.lowercased().utf8)
        return text.indices.contains { text[$0...].starts(with: plain) }
    }
}
