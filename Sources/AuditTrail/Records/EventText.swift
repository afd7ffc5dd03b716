import GatewayEvents

/// What the formats for people say alike of events that are no tool call: one line of free text.
///
/// Our own words never contain `delimiter`, so that cells of them need no quotes; in the texts of others it stays.
struct EventText {
    /// Replaced by a space in our own texts; nil replaces nothing.
    var delimiter: UInt8?

    /// No text is longer, in bytes as printed.
    static let largest = SinkFacts.largest + 3 * PrintedLimit.text + 256

    /// Appends what there is to say of `event`; nothing for requests and responses, of which each format says its own.
    func append(_ event: AuditEvent, to out: LineBuffer) {
        switch event.kind {
        case .request, .response, .serverRequest, .serverResponse: return
        case .securityBlock(_, let block): own(block.summary, to: out)
        case .toolsFiltered(_, _, let count): filtered(count, to: out)
        case .notification(_, _, let direction, let note):
            from(direction, to: out)
            if let note { detail(note, to: out) }
        case .invalidMessage(let direction, let reason, let offset, let length):
            from(direction, to: out)
            detail(reason, to: out)
            out.append(" (offset ")
            out.append(decimal: offset)
            out.append(" length ")
            out.append(decimal: length)
            out.append(")")
        case .sessionStart(let note):
            peer(event.session, to: out)
            if let note { detail(note, to: out) }
        case .sessionEnd(let reason):
            peer(event.session, to: out)
            detail(reason, to: out)
        case .upstreamStart(let pid, let program, let restart):
            process(pid, program, restart, to: out)
        case .upstreamExit(let pid, let program, let restart, let status):
            process(pid, program, restart, to: out)
            detail(status, to: out)
        case .configReload(let outcome, let formerHash):
            ReloadText.append(outcome, formerHash: formerHash, to: out)
        }
    }

    /// The same for what concerns the sink; `timestamp` prints the times of a gap.
    func append(_ notice: SinkNotice, run: String, timestamp: inout TimestampWriter, to out: LineBuffer) {
        switch notice.kind {
        case .start(let version, let settings):
            out.append("version ")
            JSONText.appendWord(version, limit: PrintedLimit.identity, to: out)
            out.append(" run ")
            JSONText.appendWord(run, limit: PrintedLimit.identity, to: out)
            out.append(" config ")
            JSONText.appendWord(notice.snapshot.label, limit: PrintedLimit.identity, to: out)
            SinkFacts.append(settings, to: out) { name, out in
                out.append(" ")
                out.append(name)
                out.append("=")
            }
        case .stop(let reason): own(reason, to: out)
        case .gap(let gap):
            out.append(decimal: gap.count)
            out.append(" records missing from ")
            timestamp.append(gap.first, to: out)
            out.append(" to ")
            timestamp.append(gap.last, to: out)
            detail(gap.reason, to: out)
        }
    }

    /// `Filtered 3 tools from response`.
    func filtered(_ count: Int, to out: LineBuffer) {
        out.append("Filtered ")
        out.append(decimal: count)
        out.append(" tools from response")
    }

    /// A text of our own.
    func own(_ text: String, to out: LineBuffer) {
        let start = out.count
        JSONText.appendFree(text, limit: PrintedLimit.text, to: out)
        if let delimiter { out.replace(delimiter, with: 0x20, from: start) }
    }

    private func detail(_ text: String, to out: LineBuffer) {
        out.append(": ")
        own(text, to: out)
    }

    private func from(_ direction: AuditEvent.Direction, to out: LineBuffer) {
        out.append(direction == .fromClient ? "from client" : "from upstream")
    }

    private func peer(_ session: SessionIdentity?, to out: LineBuffer) {
        guard let session else { return out.append("no session") }
        out.append("transport ")
        JSONText.appendWord(session.transport, limit: PrintedLimit.identity, to: out)
        out.append(" peer ")
        JSONText.appendWord(session.peer, limit: PrintedLimit.identity, to: out)
    }

    /// A process that could not be started has no pid.
    private func process(_ pid: Int32, _ program: String, _ restart: Int, to out: LineBuffer) {
        out.append("program ")
        JSONText.appendWord(program, limit: PrintedLimit.text, to: out)
        if pid > 0 {
            out.append(" pid ")
            out.append(decimal: Int(pid))
        }
        out.append(" restart ")
        out.append(decimal: restart)
    }
}

extension AuditEvent.Kind {
    /// The event's name in the audit's public interface.
    var type: StaticString {
        switch self {
        case .request: "REQUEST"
        case .response: "RESPONSE"
        case .securityBlock: "SECURITY_BLOCK"
        case .toolsFiltered: "TOOLS_FILTERED"
        case .notification: "NOTIFICATION"
        case .serverRequest: "SERVER_REQUEST"
        case .serverResponse: "SERVER_RESPONSE"
        case .invalidMessage: "INVALID_MESSAGE"
        case .sessionStart: "SESSION_START"
        case .sessionEnd: "SESSION_END"
        case .upstreamStart: "UPSTREAM_START"
        case .upstreamExit: "UPSTREAM_EXIT"
        case .configReload: "CONFIG_RELOAD"
        }
    }
}

extension SinkNotice.Kind {
    /// The record's name in the audit's public interface.
    var type: StaticString {
        switch self {
        case .start: "AUDIT_START"
        case .stop: "AUDIT_STOP"
        case .gap: "AUDIT_GAP"
        }
    }
}
