internal import JSONRPCWire
internal import NIOCore

/// An upstream's answer to its opening: to `initialize`, or to `server/discover`.
struct Handshake {
    /// The `result` object, with `tools.listChanged` set to true where there are tools.
    let result: ByteBuffer
    /// The same for those that share the process: without `tasks`, whose ids and lists name no session.
    let sharedResult: ByteBuffer
    private let sharedVersionRange: ByteRange
    /// Where the revision stands in ``result``: a text with its quotes, or the array of those that a modern one offers.
    let versionRange: ByteRange
    /// The revision that is spoken with it.
    let version: ProtocolVersion
    let hasTools: Bool
    let hasLogging: Bool
    let hasSubscriptions: Bool
    let hasPrompts: Bool
    let hasResources: Bool
    /// How a legacy one names itself.
    let serverInfo: ByteBuffer?

    /// Reads the result of `initialize`; nil when it holds no revision or no capabilities.
    init?(initialized message: Message) {
        guard let version = message.string(.resultProtocolVersion) else { return nil }
        self.init(message, ProtocolVersion(text: version), versionMember: "protocolVersion")
    }

    /// Reads the result of `server/discover`; nil when it does not offer the modern revision or holds no capabilities.
    init?(discovered message: Message) {
        guard message.scan.kind == .result else { return nil }
        let offered = JSONText.member("supportedVersions", of: message.scan[.result], in: message.bytes)
        guard offered.isPresent, JSONText.kind(of: offered, in: message.bytes) == .array else { return nil }
        var isOffered = false
        JSONText.forEachElement(of: offered, in: message.bytes) {
            if JSONText.string($0, in: message.bytes) == ProtocolVersion.modern.text { isOffered = true }
        }
        guard isOffered else { return nil }
        self.init(message, .modern, versionMember: "supportedVersions")
    }

    private init?(_ message: Message, _ version: ProtocolVersion, versionMember: String) {
        guard let result = message.slice(.result), message.scan[.resultCapabilities].isPresent,
            JSONText.kind(of: message.scan[.resultCapabilities], in: message.bytes) == .object
        else { return nil }
        let whole = ByteRange(0, result.readableBytes)
        let capabilities = JSONText.member("capabilities", of: whole, in: result)
        func capability(_ name: String) -> ByteRange {
            let range = JSONText.member(name, of: capabilities, in: result)
            return range.isPresent && JSONText.kind(of: range, in: result) == .object ? range : .absent
        }
        let tools = capability("tools")
        let resources = capability("resources")
        self.version = version
        let info = JSONText.member("serverInfo", of: whole, in: result)
        let isNamed = info.isPresent && JSONText.kind(of: info, in: result) == .object
        serverInfo =
            isNamed ? result.getSlice(at: result.readerIndex + Int(info.lower), length: info.count) : nil
        hasTools = tools.isPresent
        hasLogging = capability("logging").isPresent
        hasPrompts = capability("prompts").isPresent
        hasResources = resources.isPresent
        let subscribe =
            resources.isPresent ? JSONText.member("subscribe", of: resources, in: result) : .absent
        hasSubscriptions = subscribe.isPresent && JSONText.bool(subscribe, in: result) == true
        self.result = tools.isPresent ? Self.announcingChanges(of: tools, in: result) : result
        versionRange = JSONText.member(versionMember, of: ByteRange(0, self.result.readableBytes), in: self.result)
        sharedResult = Self.withoutTasks(self.result)
        sharedVersionRange = JSONText.member(
            versionMember, of: ByteRange(0, sharedResult.readableBytes), in: sharedResult)
    }

    private static func withoutTasks(_ result: ByteBuffer) -> ByteBuffer {
        let capabilities = JSONText.member("capabilities", of: ByteRange(0, result.readableBytes), in: result)
        guard JSONText.member("tasks", of: capabilities, in: result).isPresent else { return result }
        var kept = ByteBuffer(string: "{")
        JSONText.forEachMember(of: capabilities, in: result) { name, value in
            guard name != "tasks" else { return }
            if kept.readableBytes > 1 { kept.writeString(",") }
            JSONText.appendQuoted(name, to: &kept)
            kept.writeString(":")
            // The ranges lie inside the result, so there are bytes.
            kept.writeBytes(result.getBytes(at: result.readerIndex + Int(value.lower), length: value.count) ?? [])
        }
        kept.writeString("}")
        var edited = SplicedMessage(result)
        edited.replace(capabilities, withBytes: kept)
        return edited.rendered()
    }

    /// Reloads change what a client sees, so every client is told that the list may change.
    private static func announcingChanges(of tools: ByteRange, in result: ByteBuffer) -> ByteBuffer {
        var edited = SplicedMessage(result)
        let listChanged = JSONText.member("listChanged", of: tools, in: result)
        if listChanged.isPresent {
            edited.replace(listChanged, withBytes: ByteBuffer(string: "true"))
        } else {
            var isEmpty = true
            JSONText.forEachMember(of: tools, in: result) { _, _ in isEmpty = false }
            let brace = ByteRange(Int(tools.lower), Int(tools.lower) + 1)
            edited.replace(
                brace, withBytes: ByteBuffer(string: isEmpty ? #"{"listChanged":true"# : #"{"listChanged":true,"#))
        }
        return edited.rendered()
    }

    /// The response of a legacy upstream to a client's `initialize`.
    func initializeReply(to id: Lexeme, telling version: ProtocolVersion, isShared: Bool) -> SplicedMessage {
        var told = SplicedMessage(isShared ? sharedResult : result)
        told.replace(isShared ? sharedVersionRange : versionRange, withBytes: ByteBuffer(string: "\"\(version.text)\""))
        return Reply.result(id: id, told.rendered())
    }

    /// The response of a modern upstream to a client's `server/discover`: its own, with the revisions that the gateway
    /// passes on.
    func discoverReply(to id: Lexeme) -> SplicedMessage {
        var told = SplicedMessage(result)
        told.replace(versionRange, withBytes: ByteBuffer(string: "[\"\(version.text)\"]"))
        return Reply.result(id: id, told.rendered())
    }
}
