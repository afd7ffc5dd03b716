internal import COpenAt2
internal import Glibc

extension Tool {
    static let writeFile = Tool(
        name: "write_file", title: "Write file",
        description: "Creates a text file or replaces all of its content, in one step: nobody ever sees a part.",
        parameters: [
            .required("path", .text, "The file; its directory must exist."),
            .required("content", .text, "The whole new content."),
        ], effect: .destroys, isIdempotent: true
    ) { (arguments, workspace) throws(FilesystemError) in
        let location = try workspace.locate(try arguments.text("path"))
        let content = Array(try arguments.text("content").utf8)
        try expectSize(content.count, of: location.given, workspace.limits)
        try AtomicWrite.write(content, to: try location.target("write"))
        return "Successfully wrote to \(lineText(location.given))"
    }

    static let editFile = Tool(
        name: "edit_file", title: "Edit file",
        description: "Replaces parts of a text file and returns the change as a unified diff. Each oldText must match "
            + "exactly one place. With dryRun nothing is written.",
        parameters: [
            .required("path", .text, "The file."),
            .required("edits", .edits, "What to replace, in this order."),
            .optional("dryRun", .flag, "Only show the diff."),
        ], effect: .destroys
    ) { (arguments, workspace) throws(FilesystemError) in
        let location = try workspace.locate(try arguments.text("path"))
        let edits = try arguments.edits("edits", max: workspace.limits.maxItems)
        let isDryRun = try arguments.flag("dryRun")
        let entry = try location.target("edit")
        guard let information = try entry.information() else { throw .system(location.given, ENOENT, "edit") }
        try information.expectFile(location.given)
        let cap = workspace.limits.maxFileBytes
        let old = try TextFile.read(
            try entry.open(O_RDONLY | O_NONBLOCK, "edit"), given: location.given, cap: cap)
        _ = try TextFile.text(old, given: location.given)
        let new = try TextEdit.apply(edits, to: old, given: location.given)
        try expectSize(new.count, of: location.given, workspace.limits)
        let diff = UnifiedDiff.text(path: lineText(location.given), old: old, new: new)
        if !isDryRun, new != old { try AtomicWrite.write(new, to: entry) }
        return fenced(diff)
    }

    static let createDirectory = Tool(
        name: "create_directory", title: "Create directory",
        description: "Creates a directory, and those above it that are missing. One that exists is fine.",
        parameters: [.required("path", .text, "The directory.")], effect: .adds, isIdempotent: true
    ) { (arguments, workspace) throws(FilesystemError) in
        let location = try workspace.locate(try arguments.text("path"))
        try location.createDirectories()
        return "Successfully created directory \(lineText(location.given))"
    }

    static let moveFile = Tool(
        name: "move_file", title: "Move or rename",
        description: "Moves or renames a file or directory. Never overwrites: the destination must not exist.",
        parameters: [
            .required("source", .text, "What to move."),
            .required("destination", .text, "Its new path, name included; the directory must exist."),
        ], effect: .destroys
    ) { (arguments, workspace) throws(FilesystemError) in
        let source = try workspace.locate(try arguments.text("source")).entry("move")
        let destination = try workspace.locate(try arguments.text("destination")).entry("move to")
        guard let information = try source.information() else { throw .system(source.given, ENOENT, "move") }
        try information.expectServed(source.given)
        let result = copenat2_rename_noreplace(
            source.parent.number, source.name, destination.parent.number, destination.name)
        switch -result {
        case 0:
            return "Successfully moved \(lineText(source.given)) to \(lineText(destination.given))"
        case EEXIST:
            throw FilesystemError(.exists, "\"\(destination.given)\" exists already; move_file never overwrites")
        case EXDEV:
            throw FilesystemError(
                .system,
                "\"\(source.given)\" and \"\(destination.given)\" are on different file systems; write it anew instead")
        case EINVAL:
            throw FilesystemError(
                .system,
                "cannot move \"\(source.given)\" to \"\(destination.given)\": a directory cannot be moved into "
                    + "itself, and the file system must support a rename that never overwrites")
        case let number: throw .system(source.given, number, "move")
        }
    }

    static let deleteFile = Tool(
        name: "delete_file", title: "Delete file",
        description: "Deletes one file. A symbolic link is deleted itself; directories are refused.",
        parameters: [.required("path", .text, "The file.")], effect: .destroys
    ) { (arguments, workspace) throws(FilesystemError) in
        let entry = try workspace.locate(try arguments.text("path")).entry("delete")
        guard let information = try entry.information() else { throw .system(entry.given, ENOENT, "delete") }
        guard information.kind != .directory else {
            throw FilesystemError(.wrongKind, "\"\(entry.given)\" is a directory; delete_file deletes files only")
        }
        try information.expectServed(entry.given)
        // Without AT_REMOVEDIR it deletes no directory, should one have been put there just now.
        guard unlinkat(entry.parent.number, entry.name, 0) == 0 else { throw .system(entry.given, errno, "delete") }
        return "Successfully deleted \(lineText(entry.given))"
    }

    private static func expectSize(_ count: Int, of given: String, _ limits: Limits) throws(FilesystemError) {
        guard count > limits.maxFileBytes else { return }
        throw FilesystemError(
            .tooLarge,
            "\"\(given)\" would have \(count) bytes, more than the \(limits.maxFileBytes) that max_file_bytes allows")
    }

    /// In a fence longer than any run of backticks inside.
    private static func fenced(_ diff: String) -> String {
        var longest = 0
        var run = 0
        for byte in diff.utf8 {
            run = byte == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return "\(fence)diff\n\(diff)\(fence)\n"
    }
}
