public import GatewayConfiguration
public import JSONRPCWire
internal import NIOCore

/// Policy `tool_allowlist`: which tools may be called, and so which ones a `tools/list` shows.
public final class ToolAllowlist: Policy {
    /// `tool_allowlist`.
    public let name = "tool_allowlist"
    private let mode: ToolAllowlistSettings.Mode
    private let pattern: ToolPattern
    private let blockMessage: String?

    /// Compiles the operator's list.
    public init(_ settings: ToolAllowlistSettings) {
        mode = settings.mode
        pattern = ToolPattern(settings.tools)
        blockMessage = settings.blockMessage
    }

    /// Whether a tool of this name may be seen and called.
    public func permits(_ tool: String) -> Bool {
        switch mode {
        case .allowAll: true
        case .allowlist: pattern.matches(tool)
        case .blocklist: !pattern.matches(tool)
        }
    }

    /// Refuses a tool call without a readable name, without an id, or of a tool that is not permitted.
    public func review(_ request: PolicyRequest) -> RequestVerdict {
        guard request.isToolCall else { return .notConcerned }
        guard let tool = request.tool else {
            return .refuse(refusal("Tool call missing tool name", summary: "Tool call missing tool name"))
        }
        guard permits(tool) else {
            let list = mode == .blocklist ? "is in blocklist" : "is not in allowlist"
            return .refuse(
                refusal("Tool '\(tool)' \(list)", summary: "Tool blocked by \(mode.rawValue) policy"))
        }
        return .allow
    }

    /// Only lists of tools, and only when a tool can be hidden.
    public func reviewsResults(of method: String) -> Bool {
        mode != .allowAll && method == "tools/list"
    }

    /// Takes out the entries that are not permitted, and those whose name cannot be read without doubt; all other
    /// bytes stay. Refuses a result whose `tools` is no array of objects.
    public func review(result: Message, of method: String) -> ResultVerdict {
        let tools = result.scan[.resultTools]
        guard tools.isPresent, JSONText.kind(of: tools, in: result.bytes) == .array else {
            return .refuse(malformed)
        }
        var kept: [ByteRange] = []
        var removed = 0
        var isMalformed = false
        JSONText.forEachElement(of: tools, in: result.bytes) { entry in
            guard JSONText.kind(of: entry, in: result.bytes) == .object else {
                isMalformed = true
                return
            }
            if let tool = Self.name(of: entry, in: result), permits(tool) {
                kept.append(entry)
            } else {
                removed += 1
            }
        }
        if isMalformed { return .refuse(malformed) }
        if removed == 0 { return .pass }
        return .rewrite(Self.replacing(tools, by: kept, in: result), .hid(tools: removed))
    }

    /// nil when there is no `name`, when it is no string, or when the entry holds it twice: lenient decoders differ in
    /// which one they take.
    private static func name(of entry: ByteRange, in result: Message) -> String? {
        var found: [String?] = []
        JSONText.forEachMember(of: entry, in: result.bytes) { key, value in
            if LookalikeName.folds(key, to: "name") {
                found.append(key == "name" ? JSONText.string(value, in: result.bytes) : nil)
            }
        }
        return found.count == 1 ? found[0] : nil
    }

    private static func replacing(_ array: ByteRange, by kept: [ByteRange], in result: Message) -> ByteBuffer {
        var output = ByteBuffer()
        output.reserveCapacity(result.bytes.readableBytes)
        let base = result.bytes.readerIndex
        func copy(_ from: Int, _ to: Int) {
            // The scanner's ranges lie inside the message, so the view is never short.
            output.writeBytes(result.bytes.readableBytesView[(base + from)..<(base + to)])
        }
        copy(0, Int(array.lower) + 1)
        for (index, entry) in kept.enumerated() {
            if index > 0 { output.writeInteger(UInt8(ascii: ",")) }
            copy(Int(entry.lower), Int(entry.upper))
        }
        copy(Int(array.upper) - 1, result.bytes.readableBytes)
        return output
    }

    private var malformed: Refusal {
        refusal("Tool list from upstream is malformed", summary: "Tool list from upstream is malformed")
    }

    private func refusal(_ reason: String, summary: String) -> Refusal {
        Refusal(plugin: name, reason: reason, summary: summary, clientMessage: blockMessage, mode: mode.rawValue)
    }
}

/// Whether a lenient decoder would take one member name for another: equal after folding ASCII case and the two
/// scalars that Unicode folds into ASCII letters.
enum LookalikeName {
    static func folds(_ name: String, to plain: String) -> Bool {
        guard name.utf8.count <= plain.utf8.count * 3 else { return false }
        return name.unicodeScalars.lazy.map(fold).elementsEqual(plain.unicodeScalars)
    }

    private static func fold(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar {
        case "A"..."Z": Unicode.Scalar(UInt8(scalar.value) | 0x20)
        case "\u{017F}": "s"
        case "\u{212A}": "k"
        default: scalar
        }
    }
}
