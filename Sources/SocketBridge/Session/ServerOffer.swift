internal import JSONRPCWire
internal import NIOCore

/// What a daemon promised in its answer to `initialize`.
struct ServerOffer {
    private let answer: Message

    init(_ answer: Message) {
        self.answer = answer
    }

    /// As negotiated; empty when the answer has none.
    var protocolVersion: String {
        JSONText.string(answer.scan[.resultProtocolVersion], in: answer.bytes) ?? ""
    }

    /// The notifications that tell a client to read its lists again, of those that it was promised.
    var listChanges: [String] {
        ["tools", "prompts", "resources"].filter { name in
            let bytes = answer.bytes
            let capability = JSONText.member(name, of: answer.scan[.resultCapabilities], in: bytes)
            return JSONText.bool(JSONText.member("listChanged", of: capability, in: bytes), in: bytes) == true
        }.map { "notifications/\($0)/list_changed" }
    }

    /// Why a client that was promised `self` cannot go on with `next`; nil when it can.
    func objection(to next: ServerOffer) -> String? {
        guard protocolVersion == next.protocolVersion else {
            return "the daemon now speaks MCP \(next.protocolVersion), this session \(protocolVersion)"
        }
        var missing: [String] = []
        Self.compare(
            Value(range: answer.scan[.resultCapabilities], bytes: answer.bytes),
            Value(range: next.answer.scan[.resultCapabilities], bytes: next.answer.bytes), at: "", &missing)
        guard !missing.isEmpty else { return nil }
        let names = missing.prefix(8).joined(separator: ", ") + (missing.count > 8 ? ", …" : "")
        return "the daemon no longer offers what this session was promised: \(names)"
    }

    private struct Value {
        let range: ByteRange
        let bytes: ByteBuffer

        var kind: JSONKind { JSONText.kind(of: range, in: bytes) }
        var text: ByteBuffer? { bytes.getSlice(at: bytes.readerIndex + Int(range.lower), length: range.count) }
    }

    /// Notes the paths of what `next` lacks: members, and `true` that is no longer true.
    private static func compare(_ old: Value, _ next: Value, at path: String, _ missing: inout [String]) {
        switch old.kind {
        case .object:
            guard next.kind == .object else { return missing.append(path.isEmpty ? "capabilities" : path) }
            JSONText.forEachMember(of: old.range, in: old.bytes) { name, range in
                let found = JSONText.member(name, of: next.range, in: next.bytes)
                let inner = path.isEmpty ? name : "\(path).\(name)"
                compare(
                    Value(range: range, bytes: old.bytes), Value(range: found, bytes: next.bytes), at: inner, &missing)
            }
        // What was never promised may change.
        case .false, .null: return
        default:
            if old.kind != next.kind || old.text != next.text { missing.append(path) }
        }
    }
}
