import GatewayConfiguration
import GatewayEvents
import OutputSanitizer
import Glibc
import Systemd

/// Prints events as entries of the system journal: the line of a format as `MESSAGE`, and the same facts as fields.
///
/// Fields do not depend on format or mode: `MCP_EVENT` of a tool call is `REQUEST`, whatever its message reads. No value
/// holds a control character, and what a record redacts is redacted here too.
final class JournalPrinter {
    private let encoder: any RecordEncoder
    private let run: String
    private let text = EventText()
    /// Fields that all entries share.
    private var constant = JournalEntry()
    /// What all entries of a type and priority begin with, behind their `MESSAGE`.
    private var heads: [Head] = []
    /// Who and under which configuration, of the last pair: most entries of a busy gateway share it.
    private var context = JournalEntry()
    private var contextOf: (session: SessionIdentity?, snapshot: Snapshot)?
    private let lines = LineBuffer()
    private let scratch = LineBuffer(capacity: 512)
    private var entry = JournalEntry()
    private var times = TimestampWriter(precision: .seconds, style: .spelled)

    /// Type and priority are found by where the type's literal lies: one text may lie in two places, which then costs
    /// a second head, but one place never holds two texts of a length.
    private struct Head {
        let type: UnsafePointer<UInt8>
        let length: Int
        let priority: JournalPriority
        let fields: JournalEntry
    }

    /// authpriv, the facility for messages that not everyone should read; syslog(3).
    private static let facility: StaticString = "10"

    /// `isToolCallLog` marks entries with `MCP_LOG=tool`.
    init(_ settings: JournalAuditingSettings, run: String, isToolCallLog: Bool) {
        self.run = run
        // What a file of these settings would print. No path: nothing is written there.
        var file = FileAuditingSettings(outputFile: "")
        file.mode = settings.mode
        encoder =
            switch settings.format {
            case .line: LineRecordEncoder(settings: file, run: run, hasTime: false)
            case .json: JSONRecordEncoder(settings: file, run: run)
            case .tool: ToolRecordEncoder(settings: file, run: run)
            }
        constant.append("SYSLOG_IDENTIFIER", settings.identifier)
        constant.append("SYSLOG_FACILITY", Self.facility)
        if isToolCallLog { constant.append("MCP_LOG", "tool" as StaticString) }
    }

    /// Hands each entry of an event to `take`: one, or of a refused tool call in format `tool` two, its `CALL` and its
    /// `ERR`. `seq` is asked for each entry's number.
    func print(
        _ event: AuditEvent, redaction: Redaction, seq: () -> UInt64, take: (borrowing JournalEntry) -> Void
    ) {
        lines.truncate(to: 0)
        var number = seq()
        encoder.encode(event, redaction: redaction, seq: number, into: lines)
        var start = 0
        while let end = lineEnd(from: start) {
            if start > 0 { number = seq() }
            begin(start..<end, event.kind.type, event.kind.priority)
            describe(event, redaction)
            finish(event.session, event.snapshot, number)
            take(entry)
            start = end + 1
        }
    }

    /// The entry of something that concerns the sink.
    func print(_ notice: SinkNotice, seq: UInt64, take: (borrowing JournalEntry) -> Void) {
        lines.truncate(to: 0)
        encoder.encode(notice, seq: seq, into: lines)
        guard let end = lineEnd(from: 0) else { return }
        begin(0..<end, notice.kind.type, notice.kind.priority)
        switch notice.kind {
        case .start: break
        case .stop(let reason): field("MCP_REASON", reason)
        case .gap(let gap):
            entry.append("MCP_STATUS", "error" as StaticString)
            field("MCP_REASON", gap.reason)
        }
        finish(nil, notice.snapshot, seq)
        take(entry)
    }

    private func lineEnd(from start: Int) -> Int? {
        let bytes = lines.bytes
        guard start < bytes.count, let base = bytes.baseAddress,
            let end = memchr(base + start, 0x0A, bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(end))
    }

    private func begin(_ line: Range<Int>, _ type: StaticString, _ priority: JournalPriority) {
        entry.removeAll()
        entry.append("MESSAGE", UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: lines.bytes[line])))
        for head in heads
        where head.type == type.utf8Start && head.length == type.utf8CodeUnitCount && head.priority == priority {
            return entry.append(contentsOf: head.fields)
        }
        let fields = head(type, priority)
        heads.append(Head(type: type.utf8Start, length: type.utf8CodeUnitCount, priority: priority, fields: fields))
        entry.append(contentsOf: fields)
    }

    private func head(_ type: StaticString, _ priority: JournalPriority) -> JournalEntry {
        var head = JournalEntry()
        head.append("PRIORITY", number: priority.rawValue)
        // Every type has one, which a test holds.
        if let id = JournalMessageID.id(of: type) { head.append("MESSAGE_ID", id) }
        head.append(contentsOf: constant)
        head.append("MCP_EVENT", type)
        return head
    }

    private func finish(_ session: SessionIdentity?, _ snapshot: Snapshot, _ seq: UInt64) {
        if contextOf?.snapshot !== snapshot || contextOf?.session !== session {
            contextOf = (session, snapshot)
            context = Self.context(session, snapshot, run: run, scratch)
        }
        entry.append(contentsOf: context)
        entry.append("MCP_SEQ", number: seq)
    }
}

// The fields.
extension JournalPrinter {
    private func field(_ name: StaticString, _ value: String?, limit: Int = PrintedLimit.text) {
        guard let value else { return }
        Self.append(name, value, limit, to: &entry, scratch)
    }

    private static func append(
        _ name: StaticString, _ value: String, _ limit: Int, to entry: inout JournalEntry, _ scratch: LineBuffer
    ) {
        scratch.truncate(to: 0)
        JSONText.appendFree(value, limit: limit, to: scratch)
        entry.append(name, UnsafeRawBufferPointer(scratch.bytes))
    }

    private static func context(
        _ session: SessionIdentity?, _ snapshot: Snapshot, run: String, _ scratch: LineBuffer
    ) -> JournalEntry {
        var entry = JournalEntry()
        func field(_ name: StaticString, _ value: String?) {
            guard let value else { return }
            append(name, value, PrintedLimit.identity, to: &entry, scratch)
        }
        field("MCP_SERVER", snapshot.settings.upstream.name)
        field("MCP_SESSION", session?.sessionID)
        field("MCP_CLIENT", session?.clientName)
        field("MCP_PEER_UID", session.flatMap { number("uid=", in: $0.peer) })
        field("MCP_PEER_PID", session.flatMap { number("pid=", in: $0.peer) })
        field("MCP_CONFIG", snapshot.label)
        field("MCP_RUN", run)
        return entry
    }

    /// The number behind `key` in `uid=1000 gid=1000 pid=4242`.
    private static func number(_ key: String, in peer: String) -> String? {
        let word = peer.split(separator: " ").first { $0.hasPrefix(key) }
        guard let digits = word?.dropFirst(key.utf8.count), UInt32(digits) != nil else { return nil }
        return String(digits)
    }

    private func call(_ call: AuditEvent.Call, status: StaticString) {
        field("MCP_METHOD", call.method)
        field("MCP_TOOL", call.tool)
        entry.append("MCP_STATUS", status)
        field("MCP_REQUEST_ID", call.requestID)
    }

    private func describe(_ event: AuditEvent, _ redaction: Redaction) {
        switch event.kind {
        case .request(let call, let plugin):
            self.call(call, status: "ALLOWED")
            field("MCP_PLUGIN", plugin, limit: PrintedLimit.identity)
        case .serverRequest(let call): self.call(call, status: "ALLOWED")
        case .response(let call, let outcome), .serverResponse(let call, let outcome):
            self.call(call, status: outcome.failure == nil ? "success" : "error")
            entry.append("MCP_DURATION_MS", number: outcome.duration / 1_000_000)
            if let removed = outcome.sanitized {
                entry.append("MCP_SANITIZED_INVISIBLE", number: removed.invisible)
                entry.append("MCP_SANITIZED_MARKUP", number: removed.markup)
                entry.append("MCP_SANITIZED_CODE_FENCES", number: removed.codeFences)
            }
            guard let failure = outcome.failure else { return }
            if let code = failure.code { entry.append("MCP_ERROR_CODE", number: code) }
            scratch.truncate(to: 0)
            redaction.appendFreeMessage(failure.message, limit: PrintedLimit.text, to: scratch)
            entry.append("MCP_REASON", UnsafeRawBufferPointer(scratch.bytes))
        case .securityBlock(let call, let block):
            self.call(call, status: "BLOCKED")
            field("MCP_PLUGIN", block.plugin, limit: PrintedLimit.identity)
            field("MCP_REASON", block.reason)
        case .toolsFiltered(let call, let plugin, _):
            field("MCP_METHOD", call.method)
            field("MCP_REQUEST_ID", call.requestID)
            field("MCP_PLUGIN", plugin, limit: PrintedLimit.identity)
            reason(event)
        case .notification(let method, let tool, _, let note):
            field("MCP_METHOD", method)
            field("MCP_TOOL", tool)
            field("MCP_REASON", note)
        case .invalidMessage(_, let reason, _, _):
            entry.append("MCP_STATUS", "error" as StaticString)
            field("MCP_REASON", reason)
        case .sessionStart(let note): field("MCP_REASON", note)
        case .sessionEnd(let reason): field("MCP_REASON", reason)
        case .upstreamStart, .upstreamExit: reason(event)
        case .configReload(let outcome, _):
            entry.append("MCP_STATUS", outcome.hasSucceeded ? "success" as StaticString : "error")
            reason(event)
        }
    }

    /// The line's own free text.
    private func reason(_ event: AuditEvent) {
        scratch.truncate(to: 0)
        text.append(event, to: scratch)
        entry.append("MCP_REASON", UnsafeRawBufferPointer(scratch.bytes))
    }
}

extension AuditEvent.Kind {
    /// 4 for what was refused, 3 for what failed, 6 for everything else.
    var priority: JournalPriority {
        switch self {
        case .securityBlock, .invalidMessage: .warning
        case .response(_, let outcome), .serverResponse(_, let outcome): outcome.failure == nil ? .info : .error
        case .configReload(let outcome, _): outcome.hasSucceeded ? .info : .error
        case .request, .toolsFiltered, .notification, .serverRequest, .sessionStart, .sessionEnd, .upstreamStart,
            .upstreamExit:
            .info
        }
    }
}

extension SinkNotice.Kind {
    /// 3 for a gap, 6 for the rest.
    var priority: JournalPriority {
        switch self {
        case .start, .stop: .info
        case .gap: .error
        }
    }
}
