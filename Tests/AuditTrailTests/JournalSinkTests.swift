import GatewayConfiguration
import GatewayEvents
import Glibc
import NIOCore
import Systemd
import Testing

@testable import AuditTrail

@Suite("the journal's sink", .timeLimit(.minutes(1)))
struct JournalSinkTests {
    private static func mirror(_ change: (inout JournalAuditingSettings) -> Void = { _ in }) -> JournalAuditingSettings
    {
        var settings = JournalAuditingSettings()
        change(&settings)
        return settings
    }

    private static let timeout = AuditEvent.Outcome(
        duration: 60_000_000_000,
        failure: AuditEvent.Failure(code: -32603, message: "bad {\"api_key\": \"k1\"}\nmore", reason: "timeout"))
    private static let block = AuditEvent.Block(
        plugin: "tool_allowlist", reason: "Tool 'x\u{1B}[2J' is not in allowlist",
        summary: "Tool blocked by allowlist policy", metadata: [])

    /// One event and the fields that only it has; those of every entry are compared apart.
    struct Case: CustomTestStringConvertible, Sendable {
        let kind: AuditEvent.Kind
        let fields: [String: String]
        var testDescription: String { fields["MESSAGE"] ?? "" }
    }

    static let cases: [Case] = [
        Case(
            kind: .request(Scene.call("1", tool: "read_file"), plugin: "tool_allowlist"),
            fields: [
                "MESSAGE": "REQUEST: tools/call - read_file - ALLOWED", "PRIORITY": "6", "MCP_EVENT": "REQUEST",
                "MCP_METHOD": "tools/call", "MCP_TOOL": "read_file", "MCP_STATUS": "ALLOWED", "MCP_REQUEST_ID": "1",
                "MCP_PLUGIN": "tool_allowlist",
            ]),
        Case(
            kind: .response(Scene.call("1"), AuditEvent.Outcome(duration: 5_900_000)),
            fields: [
                "MESSAGE": "RESPONSE: success", "PRIORITY": "6", "MCP_EVENT": "RESPONSE", "MCP_METHOD": "tools/call",
                "MCP_TOOL": "read_file", "MCP_STATUS": "success", "MCP_REQUEST_ID": "1", "MCP_DURATION_MS": "5",
            ]),
        Case(
            kind: .response(Scene.call("1"), timeout),
            fields: [
                "MESSAGE": #"RESPONSE: error -32603 - bad {"api_key": ***REDACTED***}"#, "PRIORITY": "3",
                "MCP_EVENT": "RESPONSE", "MCP_METHOD": "tools/call", "MCP_TOOL": "read_file", "MCP_STATUS": "error",
                "MCP_REQUEST_ID": "1", "MCP_DURATION_MS": "60000", "MCP_ERROR_CODE": "-32603",
                "MCP_REASON": #"bad {"api_key": ***REDACTED***}"#,
            ]),
        Case(
            kind: .securityBlock(Scene.call("1", tool: "x\u{1B}[2J\n"), block),
            fields: [
                "MESSAGE": #"SECURITY_BLOCK: "x\u001b[2J\n" - [tool_allowlist] Tool blocked by allowlist policy"#,
                "PRIORITY": "4", "MCP_EVENT": "SECURITY_BLOCK", "MCP_METHOD": "tools/call",
                "MCP_TOOL": #"x\u001b[2J\n"#, "MCP_STATUS": "BLOCKED", "MCP_REQUEST_ID": "1",
                "MCP_PLUGIN": "tool_allowlist", "MCP_REASON": #"Tool 'x\u001b[2J' is not in allowlist"#,
            ]),
        Case(
            kind: .toolsFiltered(
                AuditEvent.Call(requestID: "2", method: "tools/list", tool: nil), plugin: "tool_allowlist", count: 3),
            fields: [
                "MESSAGE": "TOOLS_FILTERED: tools/list - [tool_allowlist] Filtered 3 tools from response",
                "PRIORITY": "6", "MCP_EVENT": "TOOLS_FILTERED", "MCP_METHOD": "tools/list", "MCP_REQUEST_ID": "2",
                "MCP_PLUGIN": "tool_allowlist", "MCP_REASON": "Filtered 3 tools from response",
            ]),
        Case(
            kind: .notification(method: "m", tool: nil, direction: .fromUpstream, note: "dropped"),
            fields: [
                "MESSAGE": "NOTIFICATION: m - from upstream: dropped", "PRIORITY": "6", "MCP_EVENT": "NOTIFICATION",
                "MCP_METHOD": "m", "MCP_REASON": "dropped",
            ]),
        Case(
            kind: .invalidMessage(direction: .fromClient, reason: "no JSON", offset: 17, length: 90),
            fields: [
                "MESSAGE": "INVALID_MESSAGE: from client: no JSON (offset 17 length 90)", "PRIORITY": "4",
                "MCP_EVENT": "INVALID_MESSAGE", "MCP_STATUS": "error", "MCP_REASON": "no JSON",
            ]),
        Case(
            kind: .sessionEnd(reason: "end of input"),
            fields: [
                "MESSAGE": #"SESSION_END: transport unix peer "uid=1000 gid=1000 pid=4242": end of input"#,
                "PRIORITY": "6", "MCP_EVENT": "SESSION_END", "MCP_REASON": "end of input",
            ]),
        Case(
            kind: .upstreamExit(pid: 7, program: "node", restart: 1, status: "signal 9"),
            fields: [
                "MESSAGE": "UPSTREAM_EXIT: program node pid 7 restart 1: signal 9", "PRIORITY": "6",
                "MCP_EVENT": "UPSTREAM_EXIT", "MCP_REASON": "program node pid 7 restart 1: signal 9",
            ]),
        Case(
            kind: .configReload(Scene.outcome(refused: "f:1:2: no"), formerHash: "abcd1234"),
            fields: [
                "MESSAGE": "CONFIG_RELOAD: error - refused generation 1 config abcd1234 -> ef567890: f:1:2: no",
                "PRIORITY": "3", "MCP_EVENT": "CONFIG_RELOAD", "MCP_STATUS": "error",
                "MCP_REASON": "refused generation 1 config abcd1234 -> ef567890: f:1:2: no",
            ]),
    ]

    @Test("every event is one entry with the fields that apply", arguments: cases)
    func entry(of sample: Case) throws {
        let journal = try JournalScene { $0.journalAuditing = Self.mirror() }
        let start = try journal.next()
        #expect(start["MCP_EVENT"] == "AUDIT_START" && start["MCP_SEQ"] == "1")
        #expect(
            start["MESSAGE"]
                == "AUDIT_START: version 1.0.0 run 00c0ffee config 1:abcd1234 journal_identifier=gatekit-audit "
                + "format=line mode=all critical=false")
        journal.scene.record(sample.kind, session: FormatScene.client)
        var entry = try journal.next()
        let id = entry.removeValue(forKey: "MESSAGE_ID")
        #expect(JournalMessageID.all.contains { "\($0.event)" == sample.fields["MCP_EVENT"] && "\($0.id)" == id })
        let common = [
            "SYSLOG_IDENTIFIER": "gatekit-audit", "SYSLOG_FACILITY": "10", "MCP_SERVER": "files",
            "MCP_SESSION": "0123456789abcdef", "MCP_CLIENT": "Claude Desktop", "MCP_PEER_UID": "1000",
            "MCP_PEER_PID": "4242", "MCP_CONFIG": "1:abcd1234", "MCP_RUN": "00c0ffee", "MCP_SEQ": "2",
        ]
        #expect(entry == sample.fields.merging(common) { own, _ in own })
    }

    @Test("the message is in the format that is asked for, and its seq is the entry's")
    func formats() throws {
        let json = try JournalScene { $0.journalAuditing = Self.mirror { $0.format = .json } }
        #expect(try json.next()["MESSAGE"]?.hasPrefix(#"{"timestamp": "2024-06-16T10:30:15Z", "#) == true)
        json.scene.request("1")
        let entry = try json.next()
        #expect(entry["MESSAGE"]?.hasSuffix(#""seq": 2}"#) == true && entry["MCP_SEQ"] == "2")

        let tool = try JournalScene { $0.journalAuditing = Self.mirror { $0.format = .tool } }
        #expect(tool.scene.snapshot.recordsParams && tool.scene.snapshot.recordsResults)
        _ = try tool.next()
        tool.scene.record(.securityBlock(Scene.call("1", tool: "x"), Self.block))
        let call = try tool.next()
        let failure = try tool.next()
        #expect(call["MESSAGE"] == "[TOOL CALL] x | args: {}" && call["MCP_SEQ"] == "2")
        #expect(
            failure["MESSAGE"] == #"[TOOL ERR] x | 0ms | Blocked: Tool 'x\u001b[2J' is not in allowlist"#
                && failure["MCP_SEQ"] == "3")
        #expect(call["MCP_EVENT"] == "SECURITY_BLOCK" && failure["MCP_EVENT"] == "SECURITY_BLOCK")
        #expect(call["MCP_LOG"] == nil)
    }

    @Test("it is kept over reloads with its seq running on, follows the mode, and ends with its last generation")
    func reloads() throws {
        let journal = try JournalScene { $0.journalAuditing = Self.mirror() }
        journal.scene.request("1")
        try journal.scene.reload([]) { $0.journalAuditing = Self.mirror { $0.mode = .security } }
        journal.scene.request("2")
        journal.scene.record(.sessionStart(note: nil))
        #expect(journal.scene.trail.status().map(\.name) == ["journal:gatekit-audit"])
        #expect(journal.scene.trail.status().map(\.kind) == [.journal])
        try journal.scene.reload([]) { $0.journalAuditing = Self.mirror { $0.identifier = "other" } }
        journal.scene.trail.retire(generation: 1)
        journal.scene.trail.retire(generation: 2)
        try journal.scene.reload([]) { $0.journalAuditing = Self.mirror() }
        journal.scene.trail.close(reason: "shutdown")
        var entries: [String] = []
        for _ in 0..<8 {
            let entry = try journal.next()
            entries.append("\(entry["SYSLOG_IDENTIFIER"]!) \(entry["MCP_SEQ"]!) \(entry["MCP_EVENT"]!)")  // Always set.
        }
        #expect(
            entries == [
                "gatekit-audit 1 AUDIT_START", "gatekit-audit 2 REQUEST", "gatekit-audit 3 SESSION_START",
                "other 1 AUDIT_START", "gatekit-audit 4 AUDIT_STOP", "gatekit-audit 5 AUDIT_START",
                "other 2 AUDIT_STOP",
                "gatekit-audit 6 AUDIT_STOP",
            ])
    }

    @Test("what the queue does not take is counted, and an AUDIT_GAP tells exactly what is missing")
    func gap() throws {
        let journal = try JournalScene(capacity: 16 * 1024, isListening: false) {
            $0.journalAuditing = Self.mirror()
        }
        var id = 0
        while journal.scene.trail.status()[0].missing < 10 {
            id += 1
            #expect(journal.scene.trail.refusal(for: journal.scene.snapshot, method: "x", tool: nil) == nil)
            journal.scene.request("\(id)")
        }
        #expect(journal.scene.trail.commit() == .done(barrier: 0), "a mirror holds nothing back")
        let full = journal.scene.trail.status()[0]
        #expect(full.isOpen && full.gapCount == 10 && full.gaps == 0)
        #expect(full.reason == "cannot reach \(journal.directory.file("socket")): no such file or directory")
        #expect(full.lastError == "the journal's queue of 16384 bytes is full")
        journal.listen()
        // A part is read first: the kernel's own queue may be short.
        var entries = try (0..<Int(full.records) / 2).map { _ in try journal.next() }
        #expect(journal.becomes { journal.scene.trail.status()[0].gaps == 1 })
        journal.scene.request("last")
        while entries.last?["MCP_REQUEST_ID"] != "last" { entries.append(try journal.next()) }
        var numbers: Set<Int> = []
        for entry in entries {
            numbers.insert(Int(entry["MCP_SEQ"] ?? "") ?? 0)
            if entry["MCP_EVENT"] == "AUDIT_GAP" {
                #expect(
                    entry["MESSAGE"]?.hasPrefix("AUDIT_GAP: 10 records missing from 2024-06-16 10:30:15 UTC") == true)
                #expect(entry["PRIORITY"] == "3")
                #expect(entry["MCP_REASON"] == "the journal's queue of 16384 bytes is full")
            }
        }
        let last = numbers.max() ?? 0
        #expect(Set(1...last).subtracting(numbers).count == 10, "as many as the gap says, and no more")
        let status = journal.scene.trail.status()[0]
        #expect(status.gapCount == 0 && status.missing == 10 && status.records == UInt64(numbers.count))
    }

    @Test("a journald that went away leaves an AUDIT_GAP without a count, once")
    func wentAway() throws {
        let journal = try JournalScene { $0.journalAuditing = JournalAuditingSettings() }
        #expect(try journal.next()["MCP_EVENT"] == "AUDIT_START")
        journal.vanish()
        journal.scene.request("1")
        #expect(journal.becomes { journal.writer.status.lostConnections == 1 })
        journal.scene.tick()
        journal.listen()
        #expect(journal.becomes { journal.writer.isConnected })
        #expect(try journal.next()["MCP_EVENT"] == "REQUEST")
        let gap = try journal.next()
        #expect(gap["MCP_EVENT"] == "AUDIT_GAP")
        #expect(gap["MESSAGE"]?.hasPrefix("AUDIT_GAP: 0 ") == true, "\(gap["MESSAGE"] ?? "")")
        #expect(gap["MCP_REASON"]?.contains("journald went away") == true)
        for _ in 0..<5 { journal.scene.tick() }
        journal.scene.response("1")
        #expect(try journal.next()["MCP_EVENT"] == "RESPONSE")
    }

    @Test("a critical one closes the gate while the journal is away, and opens it by itself")
    func critical() throws {
        let journal = try JournalScene { $0.journalAuditing = Self.mirror { $0.critical = true } }
        let trail = journal.scene.trail
        func refusal(_ method: String = "tools/call") -> String? {
            trail.refusal(for: journal.scene.snapshot, method: method, tool: nil)
        }
        #expect(refusal() == nil)
        journal.scene.request("1")
        for _ in 0..<2 { _ = try journal.next() }
        journal.vanish()
        journal.scene.record(.sessionStart(note: nil))
        #expect(journal.becomes { !journal.writer.isConnected })
        let reason = try #require(refusal())
        #expect(reason.contains(journal.directory.file("socket")))
        #expect(refusal("ping") == nil)
        #expect(trail.commit() == .done(barrier: 0))
        journal.scene.response("1")
        #expect(!trail.status()[0].isOpen && trail.status()[0].reason == reason)
        journal.listen()
        #expect(journal.becomes { trail.status()[0].isOpen })
        #expect(refusal() == nil)
        let entries = try (0..<3).map { _ in try journal.next() }
        #expect(entries.map { $0["MCP_EVENT"] } == ["SESSION_START", "RESPONSE", "AUDIT_GAP"])
        #expect(entries.map { $0["MCP_SEQ"] } == ["3", "5", "6"])
    }

    @Test("a critical one closes the gate while its queue is full, and keeps room for the answers")
    func criticalQueue() throws {
        let journal = try JournalScene(capacity: 128 * 1024, isListening: true) {
            $0.journalAuditing = Self.mirror { $0.critical = true }
        }
        // Nobody reads: the kernel's queue fills first.
        var admitted = 0
        while journal.scene.trail.refusal(for: journal.scene.snapshot, method: "tools/call", tool: nil) == nil {
            admitted += 1
            journal.scene.request("\(admitted)")
            if admitted % 2 == 0 { journal.scene.response("\(admitted)") }
            try #require(admitted < 10_000)
        }
        #expect(journal.scene.trail.status()[0].reason == "the journal's queue of 131072 bytes is full")
        let missing = journal.scene.trail.status()[0].missing
        for id in stride(from: 1, through: admitted, by: 2) { journal.scene.response("\(id)") }
        #expect(journal.scene.trail.status()[0].missing == missing, "every answer had its place")
        var answers = 0
        while answers < admitted { if try journal.next()["MCP_EVENT"] == "RESPONSE" { answers += 1 } }
        #expect(journal.becomes { journal.scene.trail.status()[0].isOpen })
    }
}
