import GatewayConfiguration
import GatewayEvents

/// Format `csv`: the tutorial's ten columns, and the context's behind them where `csv_config` asks for it.
///
/// Bodies and a tool call's arguments have their columns there alone.
final class CSVRecordEncoder: RecordEncoder {
    private static let columns: [StaticString] = [
        "timestamp", "event_type", "method", "tool", "status", "request_id", "plugin", "reason", "duration_ms",
        "server_name",
    ]
    private static let extendedColumns: [StaticString] = [
        "session_id", "client_name", "client_version", "peer", "config", "run", "seq", "error_code", "params", "result",
    ]

    let header: [UInt8]
    private let settings: FileAuditingSettings
    private let namesToolCalls: Bool
    private let isExtended: Bool
    private let run: String
    private let cells: CSVDialect
    private let text: EventText
    /// A cell that is put together before it is quoted.
    private let scratch = LineBuffer()
    private var timestamp: TimestampWriter
    private var gapTimes: TimestampWriter
    /// From `server_name` to `run`, with the delimiter in front.
    private var tail: ContextTail

    init(settings: FileAuditingSettings, run: String) {
        self.settings = settings
        self.run = run
        namesToolCalls = settings.mode == .tools
        isExtended = settings.csv.extendedColumns
        let cells = CSVDialect(settings.csv)
        self.cells = cells
        text = EventText(delimiter: cells.delimiter)
        timestamp = TimestampWriter(precision: settings.timestampPrecision)
        gapTimes = timestamp
        let isExtended = isExtended
        tail = ContextTail { session, snapshot, out in
            func cell(_ text: String?) {
                out.append(cells.delimiter)
                cells.text(text, limit: PrintedLimit.identity, to: out)
            }
            cell(snapshot.settings.upstream.name)
            guard isExtended else { return }
            cell(session?.sessionID)
            cell(session?.clientName)
            cell(session?.clientVersion)
            cell(session?.peer)
            cell(snapshot.label)
            cell(run)
        }
        let line = LineBuffer()
        for (index, name) in (Self.columns + (isExtended ? Self.extendedColumns : [])).enumerated() {
            if index > 0 { line.append(cells.delimiter) }
            cells.own(name, to: line)
        }
        line.append("\n")
        header = Array(line.bytes)
    }

    /// Our own words and numbers with quotes, and absent values; a policy and the context.
    private var fixed: Int { 512 + 20 * cells.largest(16) + 8 * cells.largest(PrintedLimit.identity) }
    private var largestBody: Int { isExtended ? cells.largest(2 * settings.maxBodySize + 64) : 0 }

    var largestRequest: Int {
        fixed + 3 * cells.largest(PrintedLimit.text) + (settings.includeRequestBody || namesToolCalls ? largestBody : 0)
    }
    var largestAnswer: Int {
        fixed + 4 * cells.largest(PrintedLimit.text) + (settings.includeResponseBody ? largestBody : 0)
    }
    var largestGap: Int { fixed + cells.largest(PrintedLimit.text) }

    func mayBegin(with beginning: [UInt8]) -> Bool { beginning.starts(with: header) }

    /// What stands in the `reason` of a row.
    private enum Reason {
        case none
        case own(StaticString)
        /// In ``scratch``.
        case printed
    }

    /// The columns that events fill differently.
    private struct Row {
        var method: String?
        var tool: String?
        var status: StaticString?
        var requestID: String?
        var plugin: String?
        var reason = Reason.none
        var duration: UInt64?
        var errorCode: Int?

        init() {}

        init(_ call: AuditEvent.Call) {
            method = call.method
            tool = call.tool
            requestID = call.requestID
        }
    }

    func encode(_ event: AuditEvent, redaction: Redaction, seq: UInt64, into out: LineBuffer) {
        scratch.truncate(to: 0)
        switch event.kind {
        case .request(let call, let plugin):
            var row = Row(call)
            let isToolCall = namesToolCalls && call.isToolCall
            if !isToolCall { row.status = "ALLOWED" }
            row.plugin = plugin
            if plugin != nil { row.reason = .own("Request approved") }
            begin(isToolCall ? "TOOL_CALL" : "REQUEST", row, event, out)
            end(row, event, call, nil, redaction, seq, out)
        case .response(let call, let outcome):
            answer("RESPONSE", call, outcome, event, redaction, seq, out)
        case .serverRequest(let call):
            var row = Row(call)
            row.status = "ALLOWED"
            begin("SERVER_REQUEST", row, event, out)
            end(row, event, call, nil, redaction, seq, out)
        case .serverResponse(let call, let outcome):
            answer("SERVER_RESPONSE", call, outcome, event, redaction, seq, out)
        case .securityBlock(let call, let block):
            var row = Row(call)
            row.status = "BLOCKED"
            row.plugin = block.plugin
            explain(event, &row)
            begin(namesToolCalls && call.isToolCall ? "TOOL_CALL" : "SECURITY_BLOCK", row, event, out)
            end(row, event, call, nil, redaction, seq, out)
        case .toolsFiltered(let call, let plugin, _):
            var row = Row(call)
            row.plugin = plugin
            explain(event, &row)
            plain(row, event, redaction, seq, out)
        case .notification(let method, let tool, _, _):
            var row = Row()
            row.method = method
            row.tool = tool
            explain(event, &row)
            plain(row, event, redaction, seq, out)
        case .invalidMessage:
            var row = Row()
            row.status = "error"
            explain(event, &row)
            plain(row, event, redaction, seq, out)
        case .configReload(let outcome, _):
            var row = Row()
            row.status = outcome.hasSucceeded ? "success" : "error"
            explain(event, &row)
            plain(row, event, redaction, seq, out)
        case .sessionStart, .sessionEnd, .upstreamStart, .upstreamExit:
            var row = Row()
            explain(event, &row)
            plain(row, event, redaction, seq, out)
        }
    }

    func encode(_ notice: SinkNotice, seq: UInt64, into out: LineBuffer) {
        scratch.truncate(to: 0)
        var row = Row()
        if case .gap = notice.kind { row.status = "error" }
        text.append(notice, run: run, timestamp: &gapTimes, to: scratch)
        row.reason = .printed
        begin(notice.kind.type, row, notice.time, out)
        tail.append(nil, notice.snapshot, to: out)
        if isExtended {
            sequence(seq, nil, out)
            for _ in 0..<2 {
                out.append(cells.delimiter)
                cells.empty(to: out)
            }
        }
        out.append("\n")
    }
}

// The parts of a row.
extension CSVRecordEncoder {
    private func explain(_ event: AuditEvent, _ row: inout Row) {
        text.append(event, to: scratch)
        row.reason = .printed
    }

    private func plain(_ row: Row, _ event: AuditEvent, _ redaction: Redaction, _ seq: UInt64, _ out: LineBuffer) {
        begin(event.kind.type, row, event, out)
        end(row, event, nil, nil, redaction, seq, out)
    }

    /// The tutorial's RESPONSE names neither method nor tool.
    private func answer(
        _ type: StaticString, _ call: AuditEvent.Call, _ outcome: AuditEvent.Outcome, _ event: AuditEvent,
        _ redaction: Redaction, _ seq: UInt64, _ out: LineBuffer
    ) {
        let isToolCall = namesToolCalls && call.isToolCall
        var row = isToolCall ? Row(call) : Row()
        row.requestID = call.requestID
        row.duration = outcome.duration / 1_000_000
        row.status = isToolCall ? "SUCCESS" : "success"
        if let failure = outcome.failure {
            row.status = isToolCall ? "ERROR" : "error"
            row.errorCode = failure.code
            row.reason = .printed
            redaction.appendFreeMessage(failure.message, limit: PrintedLimit.text, to: scratch)
            if failure.reason != nil { scratch.replace(cells.delimiter, with: 0x20, from: 0) }
        }
        begin(isToolCall ? "TOOL_RESULT" : type, row, event, out)
        end(row, event, nil, outcome, redaction, seq, out)
    }

    @inline(__always)
    private func begin(_ type: StaticString, _ row: borrowing Row, _ event: AuditEvent, _ out: LineBuffer) {
        begin(type, row, event.time, out)
    }

    /// From `timestamp` to `duration_ms`.
    private func begin(_ type: StaticString, _ row: borrowing Row, _ time: Int64, _ out: LineBuffer) {
        let delimiter = cells.delimiter
        cells.own(to: out) { timestamp.append(time, to: $0) }
        out.append(delimiter)
        cells.own(type, to: out)
        out.append(delimiter)
        cells.text(row.method, limit: PrintedLimit.text, to: out)
        out.append(delimiter)
        cells.text(row.tool, limit: PrintedLimit.text, to: out)
        out.append(delimiter)
        if let status = row.status { cells.own(status, to: out) } else { cells.empty(to: out) }
        out.append(delimiter)
        cells.text(row.requestID, limit: PrintedLimit.text, to: out)
        out.append(delimiter)
        cells.text(row.plugin, limit: PrintedLimit.identity, to: out)
        out.append(delimiter)
        switch row.reason {
        case .none: cells.empty(to: out)
        case .own(let reason): cells.own(reason, to: out)
        case .printed: cells.printed(scratch, to: out)
        }
        out.append(delimiter)
        if let duration = row.duration {
            cells.own(to: out, isNumber: true) { $0.append(decimal: duration) }
        } else {
            cells.empty(to: out)
        }
    }

    private func end(
        _ row: borrowing Row, _ event: AuditEvent, _ call: AuditEvent.Call?, _ outcome: AuditEvent.Outcome?,
        _ redaction: Redaction, _ seq: UInt64, _ out: LineBuffer
    ) {
        tail.append(event.session, event.snapshot, to: out)
        if isExtended {
            sequence(seq, row.errorCode, out)
            out.append(cells.delimiter)
            parameters(call, redaction, out)
            out.append(cells.delimiter)
            if settings.includeResponseBody, let result = outcome?.result {
                scratch.truncate(to: 0)
                redaction.appendBody(result, limit: settings.maxBodySize, to: scratch)
                cells.printed(scratch, to: out)
            } else {
                cells.empty(to: out)
            }
        }
        out.append("\n")
    }

    /// `seq` and `error_code`.
    private func sequence(_ seq: UInt64, _ code: Int?, _ out: LineBuffer) {
        out.append(cells.delimiter)
        cells.own(to: out, isNumber: true) { $0.append(decimal: seq) }
        out.append(cells.delimiter)
        guard let code else { return cells.empty(to: out) }
        // Most codes are negative, and a cell that begins with `-` is guarded, whatever it holds.
        scratch.truncate(to: 0)
        scratch.append(decimal: code)
        cells.printed(scratch, to: out)
    }

    private func parameters(_ call: AuditEvent.Call?, _ redaction: Redaction, _ out: LineBuffer) {
        guard let call else { return cells.empty(to: out) }
        scratch.truncate(to: 0)
        if namesToolCalls, call.isToolCall {
            redaction.appendArguments(of: call, limit: settings.maxBodySize, to: scratch)
        } else if settings.includeRequestBody, let params = call.params {
            redaction.appendBody(params, limit: settings.maxBodySize, to: scratch)
        } else {
            return cells.empty(to: out)
        }
        cells.printed(scratch, to: out)
    }
}
