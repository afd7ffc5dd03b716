extension Tool {
    static let readFile = Tool(
        name: "read_file", title: "Read file",
        description: "Returns the content of a UTF-8 text file: all of it, its first lines (head) or its last (tail).",
        parameters: [
            .required("path", .text, "The file, absolute or relative to the first allowed directory."),
            .optional("head", .count, "Only this many lines from the start."),
            .optional("tail", .count, "Only this many lines from the end."),
        ], effect: .reads
    ) { (arguments, workspace) throws(FilesystemError) in
        let location = try workspace.locate(try arguments.text("path"))
        let cap = workspace.limits.maxFileBytes
        let bytes =
            switch (try arguments.count("head"), try arguments.count("tail")) {
            case (nil, nil): try TextFile.read(location, cap: cap)
            case (let head?, nil): try TextFile.head(location, lines: head, cap: cap)
            case (nil, let tail?): try TextFile.tail(location, lines: tail, cap: cap)
            case (_?, _?): throw FilesystemError.invalid("head and tail cannot be given together")
            }
        return try TextFile.text(bytes, given: location.given)
    }

    static let readMultipleFiles = Tool(
        name: "read_multiple_files", title: "Read several files",
        description: "Returns the content of several UTF-8 text files, each under its path. A file that cannot be read "
            + "has its error there instead.",
        parameters: [.required("paths", .texts, "The files.")], effect: .reads
    ) { (arguments, workspace) throws(FilesystemError) in
        let paths = try arguments.texts("paths", max: workspace.limits.maxItems)
        guard !paths.isEmpty else { throw .invalid("paths must not be empty") }
        var left = workspace.limits.maxFileBytes
        var parts: [String] = []
        for path in paths {
            do throws(FilesystemError) {
                let location = try workspace.locate(path)
                // Each file by the cap of one, and all together by the same.
                let bytes = try TextFile.read(location, cap: workspace.limits.maxFileBytes)
                guard bytes.count <= left else {
                    throw FilesystemError(
                        .tooLarge,
                        "\"\(path)\" would bring the result above the \(workspace.limits.maxFileBytes) bytes that "
                            + "max_file_bytes allows; read it by itself")
                }
                parts.append("\(lineText(path)):\n\(try TextFile.text(bytes, given: path))\n")
                left -= bytes.count
            } catch {
                parts.append("\(lineText(path)): Error - \(error.message)")
            }
        }
        return parts.joined(separator: "\n---\n")
    }

    static let getFileInfo = Tool(
        name: "get_file_info", title: "File information",
        description: "Returns size in bytes, times (UTC), kind and permissions of a file or directory.",
        parameters: [.required("path", .text, "The file or directory.")], effect: .reads
    ) { (arguments, workspace) throws(FilesystemError) in
        let location = try workspace.locate(try arguments.text("path"))
        let information = try location.information()
        try information.expectServed(location.given)
        let permissions = String(information.permissions, radix: 8)
        return [
            "size: \(information.size)",
            "created: \(information.created.map(UTCTime.text) ?? "unknown")",
            "modified: \(UTCTime.text(information.modified))",
            "accessed: \(UTCTime.text(information.accessed))",
            "isDirectory: \(information.kind == .directory)",
            "isFile: \(information.kind == .file)",
            "permissions: \(String(repeating: "0", count: max(0, 3 - permissions.count)))\(permissions)",
        ].joined(separator: "\n")
    }

    static let listAllowedDirectories = Tool(
        name: "list_allowed_directories", title: "Allowed directories",
        description: "Returns the directories that all other tools are confined to.", parameters: [], effect: .reads
    ) { (_, workspace) throws(FilesystemError) in
        (["Allowed directories:"] + workspace.directories.directories.map { lineText($0.path) })
            .joined(separator: "\n")
    }
}
