internal import JSONRPCWire
internal import NIOCore

/// What tools work on.
struct Workspace: Sendable {
    let directories: AllowedDirectories
    let limits: Limits

    func locate(_ path: String) throws(FilesystemError) -> Location {
        try directories.locate(path)
    }
}

/// One tool: what clients are told about it, and what it does.
struct Tool: Sendable {
    /// What a call may do to files: the hints of MCP's `ToolAnnotations`.
    enum Effect: Sendable {
        case reads
        /// Makes something new, and loses nothing.
        case adds
        /// May lose what was there.
        case destroys
    }

    let name: String
    let title: String
    let description: String
    let parameters: [ToolParameter]
    let effect: Effect
    /// Whether a second call with the same arguments changes nothing more.
    var isIdempotent = false
    /// Does the work; returns the text of the result.
    let run: @Sendable (Arguments, Workspace) throws(FilesystemError) -> String

    /// All tools, in the order in which they are listed.
    static let all: [Tool] = [
        readFile, readMultipleFiles, writeFile, editFile, createDirectory, listDirectory, directoryTree, moveFile,
        searchFiles, getFileInfo, listAllowedDirectories, deleteFile,
    ]

    /// Appends the tool's entry of `tools/list`.
    func appendDefinition(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"name\":")
        JSONText.appendQuoted(name, to: &buffer)
        buffer.writeStaticString(",\"title\":")
        JSONText.appendQuoted(title, to: &buffer)
        buffer.writeStaticString(",\"description\":")
        JSONText.appendQuoted(description, to: &buffer)
        buffer.writeStaticString(",\"inputSchema\":")
        ToolParameter.appendSchema(of: parameters, to: &buffer)
        buffer.writeStaticString(",\"annotations\":{\"readOnlyHint\":")
        buffer.writeString("\(effect == .reads)")
        if effect != .reads {
            buffer.writeString(",\"destructiveHint\":\(effect == .destroys),\"idempotentHint\":\(isIdempotent)")
        }
        buffer.writeStaticString(",\"openWorldHint\":false}}")
    }
}

/// A name for a line of text: one that would break the line, or hide in it, is quoted as JSON.
func lineText(_ name: String) -> String {
    guard name.unicodeScalars.contains(where: { isUnsafe($0) }) else { return name }
    var quoted = "\""
    for scalar in name.unicodeScalars {
        if isUnsafe(scalar) {
            let hex = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
        } else {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}

/// Control characters, line separators, and what turns the direction of text.
private func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
}
