internal import JSONRPCWire
internal import NIOCore

/// The arguments of one call, each of the kind that the tool's schema names.
///
/// What the schema does not know is refused: a misspelt `dryRun` that was passed over would change a file.
struct Arguments {
    private let ranges: [String: ByteRange]
    private let bytes: ByteBuffer

    /// Sorts the members of `arguments` (an object, or nothing), which must be among `parameters`.
    init(_ arguments: ByteRange, in bytes: ByteBuffer, _ parameters: [ToolParameter]) throws(FilesystemError) {
        self.bytes = bytes
        ranges = try Self.members(
            of: arguments, in: bytes, called: "arguments", allowed: parameters.map(\.name),
            required: parameters.filter(\.isRequired).map(\.name))
    }

    /// Whether the argument was given; an explicit null counts as absent.
    private func range(_ name: String) -> ByteRange? {
        guard let range = ranges[name], JSONText.kind(of: range, in: bytes) != .null else { return nil }
        return range
    }

    func text(_ name: String) throws(FilesystemError) -> String {
        guard let range = range(name), let text = JSONText.string(range, in: bytes) else {
            throw .invalid("\(name) must be a string")
        }
        return text
    }

    func count(_ name: String) throws(FilesystemError) -> Int? {
        guard let range = range(name) else { return nil }
        guard let count = JSONText.integer(range, in: bytes), count > 0 else {
            throw .invalid("\(name) must be an integer above 0")
        }
        return count
    }

    func flag(_ name: String) throws(FilesystemError) -> Bool {
        guard let range = range(name) else { return false }
        guard let flag = JSONText.bool(range, in: bytes) else { throw .invalid("\(name) must be true or false") }
        return flag
    }

    /// The strings of an array; none when it was not given.
    func texts(_ name: String, max: Int) throws(FilesystemError) -> [String] {
        guard let range = range(name) else { return [] }
        return try elements(range, name, max: max).map { (element) throws(FilesystemError) -> String in
            guard let text = JSONText.string(element, in: bytes) else {
                throw .invalid("\(name) must be an array of strings")
            }
            return text
        }
    }

    func edits(_ name: String, max: Int) throws(FilesystemError) -> [TextEdit] {
        guard let range = range(name) else { throw .invalid("\(name) must be an array") }
        let elements = try elements(range, name, max: max)
        guard !elements.isEmpty else { throw .invalid("\(name) must not be empty") }
        return try elements.map { (element) throws(FilesystemError) -> TextEdit in
            let members = try Self.members(
                of: element, in: bytes, called: "an element of \(name)", allowed: ["oldText", "newText"],
                required: ["oldText", "newText"])
            guard let oldRange = members["oldText"], let newRange = members["newText"],
                let oldText = JSONText.string(oldRange, in: bytes), let newText = JSONText.string(newRange, in: bytes)
            else { throw .invalid("oldText and newText of \(name) must be strings") }
            return TextEdit(oldText: oldText, newText: newText)
        }
    }

    private func elements(_ range: ByteRange, _ name: String, max: Int) throws(FilesystemError) -> [ByteRange] {
        guard JSONText.kind(of: range, in: bytes) == .array else { throw .invalid("\(name) must be an array") }
        var elements: [ByteRange] = []
        JSONText.forEachElement(of: range, in: bytes) { elements.append($0) }
        guard elements.count <= max else {
            throw FilesystemError(
                .tooLarge, "\(name) has \(elements.count) elements, more than the \(max) that max_items allows")
        }
        return elements
    }

    private static func members(
        of object: ByteRange, in bytes: ByteBuffer, called title: String, allowed: [String], required: [String]
    ) throws(FilesystemError) -> [String: ByteRange] {
        let kind = JSONText.kind(of: object, in: bytes)
        guard kind == .object || (kind == .null && !object.isPresent) else {
            throw .invalid("\(title) must be an object")
        }
        var members: [String: ByteRange] = [:]
        var problem: FilesystemError?
        JSONText.forEachMember(of: object, in: bytes) { name, range in
            if !allowed.contains(name) {
                let known = allowed.isEmpty ? "none" : allowed.joined(separator: ", ")
                problem = problem ?? .invalid("\"\(name)\" is not known in \(title); known: \(known)")
            } else if members.updateValue(range, forKey: name) != nil {
                // One reader takes the first of them, another the last.
                problem = problem ?? .invalid("\"\(name)\" is in \(title) twice")
            }
        }
        if let problem { throw problem }
        for name in required where members[name] == nil { throw .invalid("\(title) must have \"\(name)\"") }
        return members
    }
}
