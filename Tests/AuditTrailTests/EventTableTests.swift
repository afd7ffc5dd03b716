import GatewayConfiguration
import GatewayEvents
import Glibc
import NIOCore
import Testing

@testable import AuditTrail

/// The README's table event × format is the public interface: every cell is what the encoder prints, and none is missing.
@Suite("the README's table of events and formats")
struct EventTableTests {
    /// One row of samples: what happens, in every format.
    struct Sample: CustomTestStringConvertible, Sendable {
        enum Source: Sendable {
            case event(AuditEvent.Kind)
            case notice(@Sendable (FileAuditingSettings) -> SinkNotice.Kind)
        }
        let name: String
        let source: Source
        var mode = FileAuditingSettings.Mode.all
        var testDescription: String { name }
    }

    private static let call = Scene.call(
        "123", tool: "write_file",
        params: #"{"name": "write_file", "arguments": {"path": "/srv/a.txt", "api_token": "x"}}"#)
    private static let sampling = AuditEvent.Call(requestID: "s1", method: "sampling/createMessage", tool: nil)
    private static let success = AuditEvent.Outcome(
        duration: 892_000_000, result: ByteBuffer(string: #"{"content": [{"type": "text", "text": "done"}]}"#))
    private static let timeout = AuditEvent.Outcome(
        duration: 60_000_000_000,
        failure: AuditEvent.Failure(code: -32603, message: "no answer within 60 s", reason: "timeout"))
    private static let block = AuditEvent.Block(
        plugin: "tool_allowlist", reason: "Tool 'write_file' is not in allowlist",
        summary: "Tool blocked by allowlist policy", metadata: [(name: "mode", value: "allowlist")])

    static let samples: [Sample] = [
        Sample(name: "REQUEST", source: .event(.request(call, plugin: "tool_allowlist"))),
        Sample(name: "RESPONSE", source: .event(.response(call, success))),
        Sample(name: "RESPONSE, error", source: .event(.response(call, timeout))),
        Sample(
            name: "RESPONSE, sanitised",
            source: .event(
                .response(
                    call,
                    AuditEvent.Outcome(duration: 4_000_000, result: success.result, sanitized: Scene.removed)))),
        Sample(name: "SECURITY_BLOCK", source: .event(.securityBlock(call, block))),
        Sample(
            name: "TOOLS_FILTERED",
            source: .event(
                .toolsFiltered(
                    AuditEvent.Call(requestID: "125", method: "tools/list", tool: nil), plugin: "tool_allowlist",
                    count: 3))),
        Sample(
            name: "NOTIFICATION",
            source: .event(
                .notification(
                    method: "notifications/progress", tool: nil, direction: .fromUpstream, note: "dropped: no such call"
                ))),
        Sample(name: "SERVER_REQUEST", source: .event(.serverRequest(sampling))),
        Sample(name: "SERVER_RESPONSE", source: .event(.serverResponse(sampling, success))),
        Sample(
            name: "INVALID_MESSAGE",
            source: .event(.invalidMessage(direction: .fromClient, reason: "no JSON", offset: 17, length: 90))),
        Sample(name: "SESSION_START", source: .event(.sessionStart(note: "sampling withheld"))),
        Sample(name: "SESSION_END", source: .event(.sessionEnd(reason: "end of input"))),
        Sample(
            name: "UPSTREAM_START", source: .event(.upstreamStart(pid: 4242, program: "/usr/bin/node", restart: 0))),
        Sample(
            name: "UPSTREAM_EXIT",
            source: .event(.upstreamExit(pid: 4242, program: "/usr/bin/node", restart: 0, status: "signal 9"))),
        Sample(
            name: "CONFIG_RELOAD", source: .event(.configReload(Scene.outcome(), formerHash: "abcd1234"))),
        Sample(
            name: "CONFIG_RELOAD, error",
            source: .event(
                .configReload(Scene.outcome(refused: "gatekit.yaml:12:3: unknown key 'x'"), formerHash: "abcd1234"))),
        Sample(
            name: "AUDIT_START",
            source: .notice { .start(version: "1.0.0", settings: .file($0)) }),
        Sample(name: "AUDIT_STOP", source: .notice { _ in .stop(reason: "shutdown") }),
        Sample(
            name: "AUDIT_GAP",
            source: .notice { _ in
                .gap(
                    SinkNotice.Gap(
                        first: FormatScene.time - 5_000_000_000, last: FormatScene.time, count: 3,
                        reason: "the file system has only 0 bytes left"))
            }),
        Sample(name: "TOOL_CALL", source: .event(.request(call, plugin: "tool_allowlist")), mode: .tools),
        Sample(name: "TOOL_RESULT", source: .event(.response(call, success)), mode: .tools),
        Sample(name: "TOOL_CALL, blocked", source: .event(.securityBlock(call, block)), mode: .tools),
    ]

    /// What the README says once: the context that ends every record of json and of debug.
    private static let contexts = [
        #""server_name": "filesystem", "session_id": "0123456789abcdef", "client_name": "Claude Desktop", "#
            + #""client_version": "1.2", "peer": "uid=1000 gid=1000 pid=4242", "config": "1:abcd1234", "#
            + #""run": "00c0ffee", "seq": 2"#,
        #""server_name": "filesystem", "config": "1:abcd1234", "run": "00c0ffee", "seq": 1"#,
        #"SERVER_NAME=filesystem SESSION_ID=0123456789abcdef CLIENT_NAME="Claude Desktop" CLIENT_VERSION=1.2 "#
            + #"PEER="uid=1000 gid=1000 pid=4242" CONFIG=1:abcd1234 RUN=00c0ffee SEQ=2"#,
        "SERVER_NAME=filesystem CONFIG=1:abcd1234 RUN=00c0ffee SEQ=1",
    ]

    private static func cell(_ sample: Sample, _ format: FileAuditingSettings.Format) -> String {
        let scene = FormatScene(format) { $0.mode = sample.mode }
        var line =
            switch sample.source {
            case .event(let kind): scene.line(kind)
            case .notice(let kind): scene.line(kind(scene.settings))
            }
        for context in contexts {
            if let range = line.range(of: context) { line.replaceSubrange(range, with: "…") }
        }
        return "`" + line.split(separator: "\n").joined(separator: "`<br>`") + "`"
    }

    /// The cells of the README, by `event/format`.
    private static func table() throws -> [String: String] {
        var path = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        path.removeLast(3)
        let file = try #require(fopen((path + ["README.md"]).joined(separator: "/"), "r"))
        defer { fclose(file) }
        var cells: [String: String] = [:]
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while case let count = getline(&line, &capacity, file), count > 0, let start = line {
            let row = String(cString: start)
            let columns = row.dropFirst(2).dropLast(3).split(separator: " | ", maxSplits: 2).map(String.init)
            guard row.hasPrefix("| "), columns.count == 3,
                FileAuditingSettings.Format(rawValue: columns[1]) != nil
            else { continue }
            let isNew = cells.updateValue(columns[2], forKey: "\(columns[0])/\(columns[1])") == nil
            #expect(isNew, "\(columns[0])/\(columns[1]) stands twice")
        }
        return cells
    }

    /// A bar would end a cell.
    private static func escaped(_ cell: String) -> String {
        cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }

    @Test("every cell is what is printed", arguments: samples, FileAuditingSettings.Format.allCases)
    func cell(of sample: Sample, in format: FileAuditingSettings.Format) throws {
        let expected = Self.escaped(Self.cell(sample, format))
        #expect(try Self.table()["\(sample.name)/\(format.rawValue)"] == expected)
    }

    @Test("the table has a cell for each event and format, and no other")
    func complete() throws {
        #expect(try Self.table().count == Self.samples.count * FileAuditingSettings.Format.allCases.count)
        let types: Set = [
            "REQUEST", "RESPONSE", "SECURITY_BLOCK", "TOOLS_FILTERED", "NOTIFICATION", "SERVER_REQUEST",
            "SERVER_RESPONSE", "INVALID_MESSAGE", "SESSION_START", "SESSION_END", "UPSTREAM_START", "UPSTREAM_EXIT",
            "CONFIG_RELOAD", "AUDIT_START", "AUDIT_STOP", "AUDIT_GAP", "TOOL_CALL", "TOOL_RESULT",
        ]
        #expect(Set(Self.samples.map { String($0.name.prefix { $0 != "," }) }) == types)
    }
}
