import GatewayConfiguration
import GatewayEvents

/// Format `tool`, the tool-call log: `[TOOL CALL] name | args: {…}`, `[TOOL OK] name | 342ms | 15 items`, `[TOOL ERR] …`.
///
/// `grep '^\[TOOL '` finds tool calls and nothing else: other events begin with their type in brackets. Results appear
/// as a summary only, whatever the body options say.
final class ToolRecordEncoder: RecordEncoder {
    private let settings: FileAuditingSettings
    private let run: String
    private let text = EventText()
    private var timestamp: TimestampWriter
    private var gapTimes = TimestampWriter(precision: .milliseconds)

    /// Seconds are too coarse for the prefix, which looks like Python's `asctime`.
    init(settings: FileAuditingSettings, run: String) {
        self.settings = settings
        self.run = run
        let precision = settings.timestampPrecision == .seconds ? .milliseconds : settings.timestampPrecision
        timestamp = TimestampWriter(precision: precision, style: .logging)
    }

    private static let fixed = 256

    var largestRequest: Int { Self.fixed + PrintedLimit.text + 2 * settings.maxBodySize + 64 }
    var largestAnswer: Int { Self.fixed + 2 * PrintedLimit.text + PrintedLimit.identity }
    var largestGap: Int { Self.fixed + PrintedLimit.text }

    func mayBegin(with beginning: [UInt8]) -> Bool {
        RecordStart(beginning) == (settings.timestampPrefix ? .logging : .named)
    }

    func encode(_ event: AuditEvent, redaction: Redaction, seq: UInt64, into out: LineBuffer) {
        prefix(event.time, out)
        switch event.kind {
        case .request(let call, _):
            if call.isToolCall {
                toolCall(call, redaction, out)
            } else {
                begin("REQUEST", call.method, out)
                out.append(" | ALLOWED")
            }
        case .serverRequest(let call):
            begin("SERVER_REQUEST", call.method, out)
            out.append(" | ALLOWED")
        case .response(let call, let outcome):
            if call.isToolCall {
                begin(outcome.failure == nil ? "TOOL OK" : "TOOL ERR", call.tool ?? "", out)
            } else {
                begin("RESPONSE", call.method, out)
            }
            ending(call, outcome, redaction, out)
        case .serverResponse(let call, let outcome):
            begin("SERVER_RESPONSE", call.method, out)
            ending(call, outcome, redaction, out)
        case .securityBlock(let call, let block):
            if call.isToolCall {
                toolCall(call, redaction, out)
                out.append("\n")
                prefix(event.time, out)
                begin("TOOL ERR", call.tool ?? "", out)
                out.append(" | 0ms")
            } else {
                begin("SECURITY_BLOCK", call.method, out)
            }
            out.append(" | Blocked: ")
            JSONText.appendFree(block.reason, limit: PrintedLimit.text, to: out)
        case .toolsFiltered(let call, _, _):
            begin("TOOLS_FILTERED", call.method, out)
            out.append(" | ")
            text.append(event, to: out)
        case .notification(let method, _, _, _):
            begin("NOTIFICATION", method, out)
            out.append(" | ")
            text.append(event, to: out)
        case .configReload(let outcome, _):
            out.append(outcome.hasSucceeded ? "[CONFIG_RELOAD] success | " : "[CONFIG_RELOAD] error | ")
            text.append(event, to: out)
        case .invalidMessage, .sessionStart, .sessionEnd, .upstreamStart, .upstreamExit:
            type(event.kind.type, out)
            text.append(event, to: out)
        }
        out.append("\n")
    }

    func encode(_ notice: SinkNotice, seq: UInt64, into out: LineBuffer) {
        prefix(notice.time, out)
        type(notice.kind.type, out)
        text.append(notice, run: run, timestamp: &gapTimes, to: out)
        out.append("\n")
    }

    @inline(__always)
    private func prefix(_ time: Int64, _ out: LineBuffer) {
        guard settings.timestampPrefix else { return }
        timestamp.append(time, to: out)
        out.append(" ")
    }

    @inline(__always)
    private func type(_ name: StaticString, _ out: LineBuffer) {
        out.append("[")
        out.append(name)
        out.append("] ")
    }

    @inline(__always)
    private func begin(_ name: StaticString, _ subject: String, _ out: LineBuffer) {
        type(name, out)
        JSONText.appendWord(subject, limit: PrintedLimit.text, to: out)
    }

    private func toolCall(_ call: AuditEvent.Call, _ redaction: Redaction, _ out: LineBuffer) {
        begin("TOOL CALL", call.tool ?? "", out)
        out.append(" | args: ")
        redaction.appendArguments(of: call, limit: settings.maxBodySize, bareNames: true, to: out)
    }

    private func ending(
        _ call: AuditEvent.Call, _ outcome: AuditEvent.Outcome, _ redaction: Redaction, _ out: LineBuffer
    ) {
        out.append(" | ")
        out.append(decimal: outcome.duration / 1_000_000)
        out.append("ms | ")
        if let failure = outcome.failure {
            FailureText.append(failure, redaction, to: out)
        } else if call.isToolCall {
            ResultSummary.append(outcome.result, to: out)
        } else {
            out.append("ok")
        }
    }
}
