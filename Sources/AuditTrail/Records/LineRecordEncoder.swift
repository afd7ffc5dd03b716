import GatewayConfiguration
import GatewayEvents

/// Format `line`: `2024-06-16 10:30:15 UTC - REQUEST: tools/call - list_directory - ALLOWED`, for people.
///
/// Methods, tools and policies stand as one word, in quotes where they could be taken for something else. Free text
/// comes last; bodies, in front of it, are JSON.
final class LineRecordEncoder: RecordEncoder {
    private let settings: FileAuditingSettings
    private let namesToolCalls: Bool
    private let hasTime: Bool
    private let run: String
    private let text = EventText()
    private var timestamp: TimestampWriter
    private var gapTimes: TimestampWriter

    /// `hasTime` is false where whoever takes the line notes the time itself, as the journal does.
    init(settings: FileAuditingSettings, run: String, hasTime: Bool = true) {
        self.settings = settings
        self.hasTime = hasTime
        self.run = run
        namesToolCalls = settings.mode == .tools
        timestamp = TimestampWriter(precision: settings.timestampPrecision, style: .spelled)
        gapTimes = timestamp
    }

    /// The timestamp, the type, separators, a code, a policy's name.
    private static let fixed = 256 + PrintedLimit.identity
    private var largestBody: Int { 2 * settings.maxBodySize + 64 }

    var largestRequest: Int {
        Self.fixed + 2 * PrintedLimit.text + (settings.includeRequestBody || namesToolCalls ? largestBody : 0)
    }
    var largestAnswer: Int {
        Self.fixed + 2 * PrintedLimit.text + (settings.includeResponseBody ? largestBody : 0)
    }
    var largestGap: Int { Self.fixed + PrintedLimit.text }

    func mayBegin(with beginning: [UInt8]) -> Bool { RecordStart(beginning) == .spelled }

    func encode(_ event: AuditEvent, redaction: Redaction, seq: UInt64, into out: LineBuffer) {
        prefix(event.time, out)
        switch event.kind {
        case .request(let call, _), .serverRequest(let call):
            if namesToolCalls, call.isToolCall {
                toolCall(call, redaction, out)
            } else {
                begin(event.kind.type, call.method, out)
                if let tool = call.tool { word(tool, out) }
                out.append(" - ALLOWED")
                parameters(call, redaction, out)
            }
        case .response(let call, let outcome), .serverResponse(let call, let outcome):
            if namesToolCalls, call.isToolCall {
                begin("TOOL_RESULT", call.tool ?? "", out)
                out.append(outcome.failure == nil ? " - SUCCESS" : " - ERROR")
            } else {
                out.append(event.kind.type)
                out.append(outcome.failure == nil ? ": success" : ": error")
            }
            ending(outcome, redaction, out)
        case .securityBlock(let call, let block):
            if namesToolCalls, call.isToolCall {
                toolCall(call, redaction, out)
                out.append(" - BLOCKED")
            } else {
                begin("SECURITY_BLOCK", call.tool ?? call.method, out)
                parameters(call, redaction, out)
            }
            policy(block.plugin, out)
            text.append(event, to: out)
        case .toolsFiltered(let call, let plugin, _):
            begin("TOOLS_FILTERED", call.method, out)
            policy(plugin, out)
            text.append(event, to: out)
        case .notification(let method, let tool, _, _):
            begin("NOTIFICATION", method, out)
            if let tool { word(tool, out) }
            out.append(" - ")
            text.append(event, to: out)
        case .configReload(let outcome, _):
            out.append(outcome.hasSucceeded ? "CONFIG_RELOAD: success - " : "CONFIG_RELOAD: error - ")
            text.append(event, to: out)
        case .invalidMessage, .sessionStart, .sessionEnd, .upstreamStart, .upstreamExit:
            out.append(event.kind.type)
            out.append(": ")
            text.append(event, to: out)
        }
        out.append("\n")
    }

    func encode(_ notice: SinkNotice, seq: UInt64, into out: LineBuffer) {
        prefix(notice.time, out)
        out.append(notice.kind.type)
        out.append(": ")
        text.append(notice, run: run, timestamp: &gapTimes, to: out)
        out.append("\n")
    }

    @inline(__always)
    private func prefix(_ time: Int64, _ out: LineBuffer) {
        guard hasTime else { return }
        timestamp.append(time, to: out)
        out.append(" - ")
    }

    @inline(__always)
    private func begin(_ type: StaticString, _ subject: String, _ out: LineBuffer) {
        out.append(type)
        out.append(": ")
        JSONText.appendWord(subject, limit: PrintedLimit.text, to: out)
    }

    @inline(__always)
    private func word(_ value: String, _ out: LineBuffer) {
        out.append(" - ")
        JSONText.appendWord(value, limit: PrintedLimit.text, to: out)
    }

    private func policy(_ name: String, _ out: LineBuffer) {
        out.append(" - [")
        JSONText.appendWord(name, limit: PrintedLimit.identity, to: out)
        out.append("] ")
    }

    private func toolCall(_ call: AuditEvent.Call, _ redaction: Redaction, _ out: LineBuffer) {
        begin("TOOL_CALL", call.tool ?? "", out)
        out.append(" - ")
        redaction.appendArguments(of: call, limit: settings.maxBodySize, to: out)
    }

    private func parameters(_ call: AuditEvent.Call, _ redaction: Redaction, _ out: LineBuffer) {
        guard settings.includeRequestBody, let params = call.params else { return }
        out.append(" - params ")
        redaction.appendBody(params, limit: settings.maxBodySize, to: out)
    }

    private func ending(_ outcome: AuditEvent.Outcome, _ redaction: Redaction, _ out: LineBuffer) {
        if let code = outcome.failure?.code {
            out.append(" ")
            out.append(decimal: code)
        }
        if settings.includeResponseBody, let result = outcome.result {
            out.append(" - result ")
            redaction.appendBody(result, limit: settings.maxBodySize, to: out)
        }
        if let failure = outcome.failure {
            out.append(" - ")
            redaction.appendFreeMessage(failure.message, limit: PrintedLimit.text, to: out)
        }
    }
}
