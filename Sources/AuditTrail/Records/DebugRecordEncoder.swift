import GatewayConfiguration
import GatewayEvents
import OutputSanitizer

/// Format `debug`: `[time] REQUEST_ID=123 SOURCE=claude_desktop EVENT=TOOL_CALL TOOL=x PARAMS={…} …`, everything there is
/// as `KEY=value`, the context last.
///
/// A value is one word, or JSON where it could be taken for something else: text in quotes, arrays and objects.
/// Parameters are always printed, redacted.
final class DebugRecordEncoder: RecordEncoder {
    private let settings: FileAuditingSettings
    private let namesToolCalls: Bool
    private var timestamp: TimestampWriter
    private var gapTimes: TimestampWriter
    private var clientSource = ContextTail { session, _, out in
        out.append(" SOURCE=")
        DebugRecordEncoder.appendSource(session?.clientName ?? "client", to: out)
    }
    private var serverSource = ContextTail { _, snapshot, out in
        out.append(" SOURCE=")
        DebugRecordEncoder.appendSource(snapshot.settings.upstream.name ?? "upstream", to: out)
        out.append("_server")
    }
    private var tail: ContextTail

    /// Seconds are too coarse here: the finest that is asked for, and milliseconds at least.
    init(settings: FileAuditingSettings, run: String) {
        self.settings = settings
        namesToolCalls = settings.mode == .tools
        let precision = settings.timestampPrecision == .seconds ? .milliseconds : settings.timestampPrecision
        timestamp = TimestampWriter(precision: precision, style: .plain)
        gapTimes = TimestampWriter(precision: precision)
        tail = ContextTail { session, snapshot, out in
            func value(_ name: StaticString, _ value: String?) {
                guard let value else { return }
                out.append(name)
                JSONText.appendWord(value, limit: PrintedLimit.identity, to: out)
            }
            value(" SERVER_NAME=", snapshot.settings.upstream.name)
            value(" SESSION_ID=", session?.sessionID)
            value(" CLIENT_NAME=", session?.clientName)
            value(" CLIENT_VERSION=", session?.clientVersion)
            value(" PEER=", session?.peer)
            value(" CONFIG=", snapshot.label)
            value(" RUN=", run)
            out.append(" SEQ=")
        }
    }

    /// Keys, numbers, and the identities of source, policy and context.
    private static let fixed = 896 + 8 * PrintedLimit.identity
    private var largestBody: Int { 2 * settings.maxBodySize + 64 }

    var largestRequest: Int { Self.fixed + 3 * PrintedLimit.text + largestBody }
    var largestAnswer: Int {
        Self.fixed + 4 * PrintedLimit.text + (settings.includeResponseBody ? largestBody : 0)
    }
    var largestGap: Int { Self.fixed + PrintedLimit.text }

    func mayBegin(with beginning: [UInt8]) -> Bool { RecordStart(beginning) == .bracketed }

    func encode(_ event: AuditEvent, redaction: Redaction, seq: UInt64, into out: LineBuffer) {
        begin(event.time, out)
        switch event.kind {
        case .request(let call, let plugin):
            requestID(call, out)
            clientSource.append(event.session, event.snapshot, to: out)
            asking(call, tool: "TOOL_CALL", other: "REQUEST", redaction, out)
            checks(plugin, #":ALLOWED"]"#, out)
        case .response(let call, let outcome):
            requestID(call, out)
            serverSource.append(event.session, event.snapshot, to: out)
            answering(call, outcome, tool: "TOOL_RESULT", other: "RESPONSE", redaction, out)
        case .serverRequest(let call):
            requestID(call, out)
            serverSource.append(event.session, event.snapshot, to: out)
            asking(call, tool: "SERVER_REQUEST", other: "SERVER_REQUEST", redaction, out)
        case .serverResponse(let call, let outcome):
            requestID(call, out)
            clientSource.append(event.session, event.snapshot, to: out)
            answering(call, outcome, tool: "SERVER_RESPONSE", other: "SERVER_RESPONSE", redaction, out)
        case .securityBlock(let call, let block):
            requestID(call, out)
            clientSource.append(event.session, event.snapshot, to: out)
            asking(
                call, tool: namesToolCalls ? "TOOL_CALL" : "SECURITY_BLOCK", other: "SECURITY_BLOCK", redaction, out)
            out.append(" STATUS=BLOCKED")
            checks(block.plugin, #":BLOCKED"]"#, out)
            out.append(" REASON=")
            JSONText.append(block.reason, limit: PrintedLimit.text, to: out)
        case .toolsFiltered(let call, let plugin, let count):
            requestID(call, out)
            serverSource.append(event.session, event.snapshot, to: out)
            out.append(" EVENT=TOOLS_FILTERED METHOD=")
            JSONText.appendWord(call.method, limit: PrintedLimit.text, to: out)
            checks(plugin, #":FILTERED"]"#, out)
            out.append(" FILTERED_COUNT=")
            out.append(decimal: count)
        case .notification(let method, let tool, let direction, let note):
            source(direction, event, out)
            out.append(" EVENT=NOTIFICATION METHOD=")
            JSONText.appendWord(method, limit: PrintedLimit.text, to: out)
            if let tool { value(" TOOL=", tool, out) }
            if let note { value(" NOTE=", note, out) }
        case .invalidMessage(let direction, let reason, let offset, let length):
            source(direction, event, out)
            out.append(" EVENT=INVALID_MESSAGE STATUS=ERROR")
            value(" REASON=", reason, out)
            number(" OFFSET=", offset, out)
            number(" LENGTH=", length, out)
        case .sessionStart(let note):
            clientSource.append(event.session, event.snapshot, to: out)
            out.append(" EVENT=SESSION_START")
            if let session = event.session { value(" TRANSPORT=", session.transport, out) }
            if let note { value(" NOTE=", note, out) }
        case .sessionEnd(let reason):
            clientSource.append(event.session, event.snapshot, to: out)
            out.append(" EVENT=SESSION_END")
            if let session = event.session { value(" TRANSPORT=", session.transport, out) }
            value(" REASON=", reason, out)
        case .upstreamStart(let pid, let program, let restart):
            process("UPSTREAM_START", pid, program, restart, out)
        case .upstreamExit(let pid, let program, let restart, let status):
            process("UPSTREAM_EXIT", pid, program, restart, out)
            value(" EXIT_STATUS=", status, out)
        case .configReload(let outcome, let formerHash):
            reload(outcome, formerHash, out)
        }
        end(event.session, event.snapshot, seq, out)
    }

    func encode(_ notice: SinkNotice, seq: UInt64, into out: LineBuffer) {
        begin(notice.time, out)
        out.append(" SOURCE=gatekit EVENT=")
        out.append(notice.kind.type)
        switch notice.kind {
        case .start(let version, let settings):
            value(" VERSION=", version, out)
            SinkFacts.append(settings, to: out) { name, out in
                out.append(" ")
                let start = out.count
                out.append(name)
                out.uppercase(from: start)
                out.append("=")
            }
        case .stop(let reason): value(" REASON=", reason, out)
        case .gap(let gap):
            out.append(" STATUS=ERROR COUNT=")
            out.append(decimal: gap.count)
            out.append(" FIRST=")
            gapTimes.append(gap.first, to: out)
            out.append(" LAST=")
            gapTimes.append(gap.last, to: out)
            value(" REASON=", gap.reason, out)
        }
        end(nil, notice.snapshot, seq, out)
    }
}

// The parts that several events share.
extension DebugRecordEncoder {
    @inline(__always)
    private func begin(_ time: Int64, _ out: LineBuffer) {
        out.append("[")
        timestamp.append(time, to: out)
        out.append("]")
    }

    @inline(__always)
    private func end(_ session: SessionIdentity?, _ snapshot: Snapshot, _ seq: UInt64, _ out: LineBuffer) {
        tail.append(session, snapshot, to: out)
        out.append(decimal: seq)
        out.append("\n")
    }

    @inline(__always)
    private func value(_ key: StaticString, _ value: String, _ out: LineBuffer) {
        out.append(key)
        JSONText.appendWord(value, limit: PrintedLimit.text, to: out)
    }

    private func number(_ key: StaticString, _ value: Int, _ out: LineBuffer) {
        out.append(key)
        out.append(decimal: value)
    }

    @inline(__always)
    private func requestID(_ call: AuditEvent.Call, _ out: LineBuffer) {
        if let id = call.requestID { value(" REQUEST_ID=", id, out) }
    }

    private func source(_ direction: AuditEvent.Direction, _ event: AuditEvent, _ out: LineBuffer) {
        switch direction {
        case .fromClient: clientSource.append(event.session, event.snapshot, to: out)
        case .fromUpstream: serverSource.append(event.session, event.snapshot, to: out)
        }
    }

    @inline(__always)
    private func named(_ call: AuditEvent.Call, _ tool: StaticString, _ other: StaticString, _ out: LineBuffer) {
        out.append(" EVENT=")
        if call.isToolCall {
            out.append(tool)
            value(" TOOL=", call.tool ?? "", out)
        } else {
            out.append(other)
            value(" METHOD=", call.method, out)
        }
    }

    private func asking(
        _ call: AuditEvent.Call, tool: StaticString, other: StaticString, _ redaction: Redaction, _ out: LineBuffer
    ) {
        named(call, tool, other, out)
        if call.isToolCall {
            out.append(" PARAMS=")
            redaction.appendArguments(of: call, limit: settings.maxBodySize, to: out)
        } else if let params = call.params {
            out.append(" PARAMS=")
            redaction.appendBody(params, limit: settings.maxBodySize, to: out)
        }
    }

    private func answering(
        _ call: AuditEvent.Call, _ outcome: AuditEvent.Outcome, tool: StaticString, other: StaticString,
        _ redaction: Redaction, _ out: LineBuffer
    ) {
        named(call, tool, other, out)
        out.append(outcome.failure == nil ? " STATUS=SUCCESS DURATION=" : " STATUS=ERROR DURATION=")
        out.append(decimal: outcome.duration / 1_000_000_000)
        out.append(".")
        let milliseconds = outcome.duration / 1_000_000 % 1000
        out.append(0x30 + UInt8(truncatingIfNeeded: milliseconds / 100))
        out.append(0x30 + UInt8(truncatingIfNeeded: milliseconds / 10 % 10))
        out.append(0x30 + UInt8(truncatingIfNeeded: milliseconds % 10))
        out.append("s")
        if let failure = outcome.failure {
            if let code = failure.code { number(" ERROR_CODE=", code, out) }
            out.append(" ERROR_MESSAGE=")
            redaction.appendMessage(failure.message, limit: PrintedLimit.text, to: out)
            if let reason = failure.reason { value(" ERROR_REASON=", reason, out) }
        }
        if let removed = outcome.sanitized {
            out.append(" SANITIZED=invisible:")
            out.append(decimal: removed.invisible)
            out.append(",markup:")
            out.append(decimal: removed.markup)
            out.append(",code_fences:")
            out.append(decimal: removed.codeFences)
        }
        if settings.includeResponseBody, let result = outcome.result {
            out.append(" RESULT=")
            redaction.appendBody(result, limit: settings.maxBodySize, to: out)
        }
    }

    /// `SECURITY_CHECKS=["tool_allowlist:ALLOWED"]`; `verdict` ends it.
    private func checks(_ plugin: String?, _ verdict: StaticString, _ out: LineBuffer) {
        guard let plugin else { return out.append(" SECURITY_CHECKS=[]") }
        out.append(" SECURITY_CHECKS=[")
        JSONText.append(plugin, limit: PrintedLimit.identity, to: out)
        // The verdict belongs inside the closing quote.
        out.truncate(to: out.count - 1)
        out.append(verdict)
    }

    /// A process that could not be started has no pid.
    private func process(_ type: StaticString, _ pid: Int32, _ program: String, _ restart: Int, _ out: LineBuffer) {
        out.append(" SOURCE=gatekit EVENT=")
        out.append(type)
        if pid > 0 { number(" PID=", Int(pid), out) }
        value(" PROGRAM=", program, out)
        number(" RESTART=", restart, out)
    }

    private func reload(_ outcome: ReloadOutcome, _ formerHash: String, _ out: LineBuffer) {
        out.append(" SOURCE=gatekit EVENT=CONFIG_RELOAD STATUS=")
        out.append(outcome.hasSucceeded ? "SUCCESS" : "ERROR")
        value(" OUTCOME=", outcome.result.rawValue, out)
        number(" GENERATION=", outcome.generation, out)
        value(" OLD_CONFIG=", formerHash, out)
        value(" NEW_CONFIG=", outcome.candidateHash, out)
        ReloadText.appendLists(outcome, to: out) { name, out in
            out.append(" ")
            let start = out.count
            out.append(name)
            out.uppercase(from: start)
            out.append("=")
        }
    }

    /// Lower-case letters and digits; every other character becomes `_`.
    private static func appendSource(_ name: String, to out: LineBuffer) {
        for scalar in name.unicodeScalars.prefix(PrintedLimit.identity) {
            switch scalar.value {
            case 0x30...0x39, 0x61...0x7A: out.append(UInt8(scalar.value))
            case 0x41...0x5A: out.append(UInt8(scalar.value) | 0x20)
            default: out.append("_")
            }
        }
    }
}
