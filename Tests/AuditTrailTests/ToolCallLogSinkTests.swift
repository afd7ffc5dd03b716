import GatewayConfiguration
import GatewayEvents
import NIOCore
import Synchronization
import Testing

@testable import AuditTrail

@Suite("the tool-call log on stderr", .timeLimit(.minutes(1)))
struct ToolCallLogSinkTests {
    private static func scene() throws -> Scene {
        try Scene([]) { $0.toolCallLog = true }
    }

    private static func text(_ scene: Scene) -> String {
        String(decoding: scene.machine.state.withLock { $0.stderr }, as: UTF8.self)
    }

    @Test("it prints the calls of tools and nothing else, raw")
    func lines() throws {
        let scene = try Self.scene()
        #expect(scene.snapshot.recordsParams && scene.snapshot.recordsResults)
        let locations = Scene.call(
            "1", tool: "zia_list_locations",
            params: #"{"name": "zia_list_locations", "arguments": {"page": 1, "page_size": 50, "name": "HQ"}}"#)
        let resources = Scene.call("2", tool: "zms_list_resources", params: #"{"arguments": {"page_num": 1}}"#)
        let other = AuditEvent.Call(requestID: "3", method: "tools/list", tool: nil)
        scene.record(.sessionStart(note: nil))
        scene.record(.request(locations, plugin: nil))
        scene.record(.request(other, plugin: nil))
        let items = Array(repeating: "1", count: 15).joined(separator: ",")
        scene.record(
            .response(
                locations,
                AuditEvent.Outcome(
                    duration: 342_000_000, result: ByteBuffer(string: "{\"structuredContent\": [\(items)]}"))))
        scene.record(.response(other, AuditEvent.Outcome(duration: 0)))
        scene.record(.request(resources, plugin: nil))
        scene.record(
            .response(
                resources,
                AuditEvent.Outcome(
                    duration: 1_204_000_000,
                    failure: AuditEvent.Failure(code: nil, message: "ConnectionError: timeout"))))
        scene.record(
            .securityBlock(
                Scene.call("4", tool: "x"),
                AuditEvent.Block(plugin: "p", reason: "Tool 'x' is not in allowlist", summary: "s", metadata: [])))
        scene.record(
            .securityBlock(other, AuditEvent.Block(plugin: "p", reason: "r", summary: "s", metadata: [])))
        #expect(Self.text(scene) == "", "not before the end of the turn")
        #expect(scene.trail.hasPending)
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(!scene.trail.hasPending)
        scene.trail.close(reason: "shutdown")
        #expect(
            Self.text(scene) == """
                [TOOL CALL] zia_list_locations | args: {page: 1, page_size: 50, name: "HQ"}
                [TOOL OK] zia_list_locations | 342ms | 15 items
                [TOOL CALL] zms_list_resources | args: {page_num: 1}
                [TOOL ERR] zms_list_resources | 1204ms | ConnectionError: timeout
                [TOOL CALL] x | args: {}
                [TOOL ERR] x | 0ms | Blocked: Tool 'x' is not in allowlist

                """)
    }

    @Test("a reload turns it on and off; a call in flight keeps what it was admitted under")
    func reloads() throws {
        let scene = try Scene([])
        #expect(!scene.snapshot.recordsParams && scene.trail.status().isEmpty)
        scene.request("1")
        try scene.reload([]) { $0.toolCallLog = true }
        scene.request("2")
        let on = scene.snapshot
        try scene.reload([]) { $0.toolCallLog = false }
        scene.trail.retire(generation: 1)
        scene.request("3")
        scene.response("2", at: on)
        _ = scene.trail.commit()
        #expect(scene.trail.status().map(\.name) == ["tool-call log (stderr)"])
        scene.trail.retire(generation: 2)
        #expect(scene.trail.status().isEmpty)
        try scene.reload([]) { $0.toolCallLog = true }
        scene.request("4")
        _ = scene.trail.commit()
        #expect(
            Self.text(scene) == """
                [TOOL CALL] read_file | args: {}
                [TOOL OK] read_file | 5ms | ok
                [TOOL CALL] read_file | args: {}

                """)
    }

    @Test("lines that stderr does not take wait, then are counted, and a warning tells how many are missing")
    func unread() throws {
        let scene = try Self.scene()
        let line = "[TOOL CALL] read_file | args: {}\n"
        scene.machine.change { $0.stderrRoom = line.utf8.count * 2 + 5 }
        for id in 0..<5 { scene.request("\(id)") }
        #expect(scene.trail.commit() == .done(barrier: 0), "nothing waits for stderr")
        #expect(Self.text(scene) == line + line, "whole lines only")
        #expect(scene.trail.status()[0].queuedBytes == 3 * line.utf8.count)
        while scene.trail.status()[0].missing < 7 {
            #expect(scene.trail.refusal(for: scene.snapshot, method: "tools/call", tool: "x") == nil)
            scene.request("x")
            _ = scene.trail.commit()
        }
        let full = scene.trail.status()[0]
        #expect(full.isOpen && full.reason == "stderr was not read" && full.gapCount == 7 && full.kind == .toolCallLog)
        scene.machine.change { $0.stderrRoom = nil }
        _ = scene.trail.commit()
        scene.tick()
        let status = scene.trail.status()[0]
        #expect(status.gaps == 1 && status.gapCount == 0 && status.queuedBytes == 0)
        let warning = "[WARNING] gatekit.audit: 7 records of the tool-call log are missing: stderr was not read\n"
        #expect(Self.text(scene).hasSuffix(line + warning))
        #expect(Self.text(scene).utf8.count == Int(status.records) * line.utf8.count + warning.utf8.count)
    }

    @Test("where stderr is the journal it writes entries that can be told from the audit's")
    func entries() throws {
        let journal = try JournalScene(logsToJournal: true) {
            $0.toolCallLog = true
            $0.journalAuditing = JournalAuditingSettings()
        }
        #expect(journal.scene.trail.status().map(\.name) == ["journal:gatekit-audit", "tool-call log (journal)"])
        _ = try journal.next()
        journal.scene.request("1")
        let audit = try journal.next()
        let call = try journal.next()
        #expect(audit["MCP_LOG"] == nil && audit["MCP_SEQ"] == "2")
        #expect(call["MESSAGE"] == "[TOOL CALL] read_file | args: {}")
        #expect(call["MCP_LOG"] == "tool" && call["MCP_SEQ"] == "1" && call["MCP_TOOL"] == "read_file")
        #expect(call["SYSLOG_IDENTIFIER"] == "gatekit-audit" && call["MESSAGE_ID"] == audit["MESSAGE_ID"])
        journal.scene.trail.close(reason: "shutdown")
        #expect(try journal.next()["MCP_EVENT"] == "AUDIT_STOP")
        #expect(Self.text(journal.scene) == "")
    }
}
