import GatewayConfiguration
import GatewayEvents
import OutputSanitizer

/// Format `json`: one object a line, the tutorial's keys first and in its order, then what json adds, then the context.
///
/// No key is an object field of the Elastic Common Schema, because collectors put these keys at the root.
final class JSONRecordEncoder: RecordEncoder {
    private let settings: FileAuditingSettings
    /// Mode `tools` prints tool calls under names of their own, always with their arguments.
    private let namesToolCalls: Bool
    private var timestamp: TimestampWriter
    private var tail: ContextTail

    init(settings: FileAuditingSettings, run: String) {
        self.settings = settings
        namesToolCalls = settings.mode == .tools
        timestamp = TimestampWriter(precision: settings.timestampPrecision)
        tail = .json(run: run)
    }

    /// Keys, numbers, timestamps, `plugin`, and the context: five identities and two short texts.
    private static let fixed = 896 + 6 * PrintedLimit.identity
    private var largestBody: Int { 2 * settings.maxBodySize + 64 }

    var largestRequest: Int {
        Self.fixed + 3 * PrintedLimit.text + (settings.includeRequestBody || namesToolCalls ? largestBody : 0)
    }
    var largestAnswer: Int {
        Self.fixed + 4 * PrintedLimit.text + (settings.includeResponseBody ? largestBody : 0)
    }
    var largestGap: Int { Self.fixed + PrintedLimit.text }

    func mayBegin(with beginning: [UInt8]) -> Bool { beginning.first == UInt8(ascii: "{") }

    func encode(_ event: AuditEvent, redaction: Redaction, seq: UInt64, into out: LineBuffer) {
        switch event.kind {
        case .request(let call, let plugin):
            if namesToolCalls, call.isToolCall {
                toolCall(call, event.time, redaction, out)
            } else {
                begin("REQUEST", event.time, out)
                calling(call, out)
                out.append(#", "status": "ALLOWED""#)
                requestID(call, out)
            }
            if let plugin { member(#", "plugin": "#, plugin, PrintedLimit.identity, out) }
            if !(namesToolCalls && call.isToolCall) { parameters(call, redaction, out) }
        case .response(let call, let outcome):
            if namesToolCalls, call.isToolCall {
                toolResult(call, outcome, event.time, redaction, out)
            } else {
                answer("RESPONSE", call, outcome, event.time, redaction, out)
            }
        case .securityBlock(let call, let block):
            blocked(call, block, event.time, redaction, out)
        case .toolsFiltered(let call, let plugin, let count):
            begin("TOOLS_FILTERED", event.time, out)
            calling(call, out)
            out.append(#", "reason": "Filtered "#)
            out.append(decimal: count)
            out.append(#" tools from response", "plugin": "#)
            JSONText.append(plugin, limit: PrintedLimit.identity, to: out)
            requestID(call, out)
            out.append(#", "plugin_metadata": {"filtered_count": "#)
            out.append(decimal: count)
            out.append("}")
        case .notification(let method, let tool, let direction, let note):
            begin("NOTIFICATION", event.time, out)
            member(#", "method": "#, method, PrintedLimit.text, out)
            if let tool { member(#", "tool": "#, tool, PrintedLimit.text, out) }
            member(#", "direction": "#, direction.rawValue, PrintedLimit.text, out)
            if let note { member(#", "note": "#, note, PrintedLimit.text, out) }
        case .serverRequest(let call):
            begin("SERVER_REQUEST", event.time, out)
            calling(call, out)
            out.append(#", "status": "ALLOWED""#)
            requestID(call, out)
            parameters(call, redaction, out)
        case .serverResponse(let call, let outcome):
            answer("SERVER_RESPONSE", call, outcome, event.time, redaction, out)
        case .invalidMessage(let direction, let reason, let offset, let length):
            begin("INVALID_MESSAGE", event.time, out)
            out.append(#", "status": "error""#)
            member(#", "reason": "#, reason, PrintedLimit.text, out)
            member(#", "direction": "#, direction.rawValue, PrintedLimit.text, out)
            out.append(#", "offset": "#)
            out.append(decimal: offset)
            out.append(#", "length": "#)
            out.append(decimal: length)
        case .sessionStart(let note):
            begin("SESSION_START", event.time, out)
            transport(event.session, out)
            if let note { member(#", "note": "#, note, PrintedLimit.text, out) }
        case .sessionEnd(let reason):
            begin("SESSION_END", event.time, out)
            member(#", "reason": "#, reason, PrintedLimit.text, out)
            transport(event.session, out)
        case .upstreamStart(let pid, let program, let restart):
            begin("UPSTREAM_START", event.time, out)
            upstream(pid, program, restart, out)
        case .upstreamExit(let pid, let program, let restart, let status):
            begin("UPSTREAM_EXIT", event.time, out)
            member(#", "exit_status": "#, status, PrintedLimit.text, out)
            upstream(pid, program, restart, out)
        case .configReload(let outcome, let formerHash):
            begin("CONFIG_RELOAD", event.time, out)
            reload(outcome, formerHash, out)
        }
        end(event.session, event.snapshot, seq, out)
    }

    func encode(_ notice: SinkNotice, seq: UInt64, into out: LineBuffer) {
        switch notice.kind {
        case .start(let version, let settings):
            begin("AUDIT_START", notice.time, out)
            member(#", "version": "#, version, PrintedLimit.identity, out)
            describe(settings, out)
        case .stop(let reason):
            begin("AUDIT_STOP", notice.time, out)
            member(#", "reason": "#, reason, PrintedLimit.text, out)
        case .gap(let gap):
            begin("AUDIT_GAP", notice.time, out)
            out.append(#", "status": "error""#)
            member(#", "reason": "#, gap.reason, PrintedLimit.text, out)
            out.append(#", "first": ""#)
            timestamp.append(gap.first, to: out)
            out.append(#"", "last": ""#)
            timestamp.append(gap.last, to: out)
            out.append(#"", "count": "#)
            out.append(decimal: gap.count)
        }
        end(nil, notice.snapshot, seq, out)
    }
}

// The parts that several events share.
extension JSONRecordEncoder {
    @inline(__always)
    private func begin(_ type: StaticString, _ time: Int64, _ out: LineBuffer) {
        out.append(#"{"timestamp": ""#)
        timestamp.append(time, to: out)
        out.append(#"", "event_type": ""#)
        out.append(type)
        out.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    private func end(_ session: SessionIdentity?, _ snapshot: Snapshot, _ seq: UInt64, _ out: LineBuffer) {
        tail.append(session, snapshot, to: out)
        out.append(decimal: seq)
        out.append("}\n")
    }

    @inline(__always)
    private func member(_ name: StaticString, _ value: String, _ limit: Int, _ out: LineBuffer) {
        out.append(name)
        JSONText.append(value, limit: limit, to: out)
    }

    @inline(__always)
    private func calling(_ call: borrowing AuditEvent.Call, _ out: LineBuffer) {
        member(#", "method": "#, call.method, PrintedLimit.text, out)
        if let tool = call.tool { member(#", "tool": "#, tool, PrintedLimit.text, out) }
    }

    @inline(__always)
    private func requestID(_ call: borrowing AuditEvent.Call, _ out: LineBuffer) {
        if let id = call.requestID { member(#", "request_id": "#, id, PrintedLimit.text, out) }
    }

    private func parameters(_ call: AuditEvent.Call, _ redaction: Redaction, _ out: LineBuffer) {
        guard settings.includeRequestBody, let params = call.params else { return }
        out.append(#", "params": "#)
        redaction.appendBody(params, limit: settings.maxBodySize, to: out)
    }

    private func answer(
        _ type: StaticString, _ call: AuditEvent.Call, _ outcome: AuditEvent.Outcome, _ time: Int64,
        _ redaction: Redaction, _ out: LineBuffer
    ) {
        begin(type, time, out)
        out.append(outcome.failure == nil ? #", "status": "success""# : #", "status": "error""#)
        requestID(call, out)
        duration(outcome, out)
        calling(call, out)
        failure(outcome, redaction, out)
        sanitized(outcome, out)
        result(outcome, redaction, out)
    }

    private func sanitized(_ outcome: AuditEvent.Outcome, _ out: LineBuffer) {
        guard let removed = outcome.sanitized else { return }
        out.append(#", "sanitized": {"invisible": "#)
        out.append(decimal: removed.invisible)
        out.append(#", "markup": "#)
        out.append(decimal: removed.markup)
        out.append(#", "code_fences": "#)
        out.append(decimal: removed.codeFences)
        out.append("}")
    }

    private func duration(_ outcome: AuditEvent.Outcome, _ out: LineBuffer) {
        out.append(#", "duration_ms": "#)
        out.append(decimal: outcome.duration / 1_000_000)
    }

    private func failure(_ outcome: AuditEvent.Outcome, _ redaction: Redaction, _ out: LineBuffer) {
        guard let failure = outcome.failure else { return }
        if let code = failure.code {
            out.append(#", "error_code": "#)
            out.append(decimal: code)
        }
        out.append(#", "error_message": "#)
        redaction.appendMessage(failure.message, limit: PrintedLimit.text, to: out)
        if let reason = failure.reason { member(#", "error_reason": "#, reason, PrintedLimit.identity, out) }
    }

    private func result(_ outcome: AuditEvent.Outcome, _ redaction: Redaction, _ out: LineBuffer) {
        guard settings.includeResponseBody, let result = outcome.result else { return }
        out.append(#", "result": "#)
        redaction.appendBody(result, limit: settings.maxBodySize, to: out)
    }

    private func blocked(
        _ call: AuditEvent.Call, _ block: AuditEvent.Block, _ time: Int64, _ redaction: Redaction, _ out: LineBuffer
    ) {
        if namesToolCalls, call.isToolCall {
            toolCall(call, time, redaction, out)
            out.append(#", "reason": "#)
        } else {
            begin("SECURITY_BLOCK", time, out)
            calling(call, out)
            out.append(#", "reason": "#)
        }
        JSONText.append(block.reason, limit: PrintedLimit.text, to: out)
        if !(namesToolCalls && call.isToolCall) { requestID(call, out) }
        member(#", "plugin": "#, block.plugin, PrintedLimit.identity, out)
        if !block.metadata.isEmpty {
            var separator: StaticString = #", "plugin_metadata": {"#
            for (name, value) in block.metadata {
                out.append(separator)
                JSONText.append(name, limit: PrintedLimit.identity, to: out)
                out.append(": ")
                JSONText.append(value, limit: PrintedLimit.text, to: out)
                separator = ", "
            }
            out.append("}")
        }
        out.append(#", "status": "BLOCKED""#)
        if !(namesToolCalls && call.isToolCall) { parameters(call, redaction, out) }
    }

    /// Mode `tools`: the tutorial's `TOOL_CALL`, whose `params` are the tool's arguments.
    private func toolCall(_ call: AuditEvent.Call, _ time: Int64, _ redaction: Redaction, _ out: LineBuffer) {
        begin("TOOL_CALL", time, out)
        if let tool = call.tool { member(#", "tool": "#, tool, PrintedLimit.text, out) }
        out.append(#", "params": "#)
        redaction.appendArguments(of: call, limit: settings.maxBodySize, to: out)
        requestID(call, out)
    }

    /// Mode `tools`: what a tool call came to.
    private func toolResult(
        _ call: AuditEvent.Call, _ outcome: AuditEvent.Outcome, _ time: Int64, _ redaction: Redaction, _ out: LineBuffer
    ) {
        begin("TOOL_RESULT", time, out)
        if let tool = call.tool { member(#", "tool": "#, tool, PrintedLimit.text, out) }
        out.append(outcome.failure == nil ? #", "status": "SUCCESS""# : #", "status": "ERROR""#)
        requestID(call, out)
        duration(outcome, out)
        failure(outcome, redaction, out)
        sanitized(outcome, out)
        result(outcome, redaction, out)
    }

    private func transport(_ session: SessionIdentity?, _ out: LineBuffer) {
        if let session { member(#", "transport": "#, session.transport, PrintedLimit.identity, out) }
    }

    /// A process that could not be started has no pid.
    private func upstream(_ pid: Int32, _ program: String, _ restart: Int, _ out: LineBuffer) {
        if pid > 0 {
            out.append(#", "pid": "#)
            out.append(decimal: Int(pid))
        }
        member(#", "program": "#, program, PrintedLimit.text, out)
        out.append(#", "restart": "#)
        out.append(decimal: restart)
    }

    private func reload(_ outcome: ReloadOutcome, _ formerHash: String, _ out: LineBuffer) {
        out.append(outcome.hasSucceeded ? #", "status": "success""# : #", "status": "error""#)
        member(#", "outcome": "#, outcome.result.rawValue, PrintedLimit.identity, out)
        out.append(#", "generation": "#)
        out.append(decimal: outcome.generation)
        member(#", "old_config": "#, formerHash, PrintedLimit.identity, out)
        member(#", "new_config": "#, outcome.candidateHash, PrintedLimit.identity, out)
        out.append(#", "duration_ms": "#)
        out.append(decimal: outcome.duration / 1_000_000)
        ReloadText.appendLists(outcome, to: out, name: Self.key)
    }

    private func describe(_ settings: SinkSettings, _ out: LineBuffer) {
        SinkFacts.append(settings, asWords: false, to: out, name: Self.key)
    }

    /// `, "name": `.
    private static func key(_ name: StaticString, _ out: LineBuffer) {
        out.append(#", ""#)
        out.append(name)
        out.append(#"": "#)
    }
}

extension AuditEvent.Call {
    /// Whether a tool is called, which mode `tools` records alone.
    var isToolCall: Bool { method == "tools/call" }
}
