import Glibc
import JSONRPCWire
import MCPFilesystem
import NIOCore
import Testing

@testable import struct MCPFilesystem.StdioLoop
@testable import struct MCPFilesystem.Tool

@Suite("The protocol")
struct FilesystemServerTests {
    private func initialize(_ revision: String) -> String {
        #"{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"\#(revision)","capabilities":{},"#
            + #""clientInfo":{"name":"t","version":"1"}}}"#
    }

    @Test(
        "A known revision is agreed to, any other is answered with the newest",
        arguments: [
            ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("x", "2025-11-25"),
        ])
    func handshake(offer: String, agreed: String) throws {
        try Area.with { area in
            #expect(
                area.answer(initialize(offer))
                    == #"{"jsonrpc":"2.0","id":"a","result":{"protocolVersion":"\#(agreed)","capabilities":{"tools":{}},"#
                    + #""serverInfo":{"name":"mcp-filesystem","version":"\#(FilesystemServer.version)"}}}"#)
        }
    }

    @Test(
        "Each message gets its answer, or none",
        arguments: [
            (#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, #"{"jsonrpc":"2.0","id":7,"result":{}}"#),
            (
                #"{"jsonrpc":"2.0","id":7,"method":"server/discover","params":{}}"#,
                #"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"the method \"server/discover\" is not served here"}}"#
            ),
            (#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, nil),
            (#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, nil),
            (#"{"jsonrpc":"2.0","id":7,"result":{}}"#, nil),
            (#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":""}}"#, nil),
            (
                #"{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"rm"}}"#,
                #"{"jsonrpc":"2.0","id":1.0,"error":{"code":-32602,"message":"there is no tool \"rm\"; tools/list names them"}}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"tools/call needs params.name"}}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"initialize needs params.protocolVersion"}}"#
            ),
        ] as [(String, String?)])
    func answers(line: String, expected: String?) throws {
        try Area.with { area in #expect(area.answer(line) == expected) }
    }

    @Test(
        "What is no message is answered with JSON-RPC's code",
        arguments: [("{", -32700), ("\u{FEFF}{}", -32700), ("[]", -32600), ("1", -32600), ("{}", -32600)])
    func garbage(line: String, code: Int) throws {
        try Area.with { area in
            let reply = try #require(area.answer(line))
            #expect(reply.hasPrefix(#"{"jsonrpc":"2.0","id":null,"error":{"code":\#(code),"#))
        }
    }

    @Test("Batches are answered at the one revision that has them")
    func batches() throws {
        try Area.with { area in
            let batch = #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},{"id":2}]"#
            #expect(try #require(area.answer(batch)).contains("-32600"))
            _ = area.answer(initialize("2025-03-26"))
            let reply = try #require(area.answer(batch))
            #expect(reply.hasPrefix(#"[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"error""#))
            #expect(area.answer(#"[{"jsonrpc":"2.0","method":"x"}]"#) == nil)
        }
    }

    @Test("All twelve tools are listed with a schema and what they may do")
    func list() throws {
        try Area.with { area in
            let bytes = ByteBuffer(
                string: try #require(area.answer(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)))
            guard case .message(let scan) = MessageScanner(maxDepth: 16).scan(bytes) else {
                Issue.record("no message: \(String(buffer: bytes))")
                return
            }
            var readOnly: [String] = []
            var destructive: [String] = []
            var other: [String] = []
            JSONText.forEachElement(of: scan[.resultTools], in: bytes) { tool in
                func member(_ name: String, of range: ByteRange) -> ByteRange {
                    JSONText.member(name, of: range, in: bytes)
                }
                let name = JSONText.string(member("name", of: tool), in: bytes) ?? ""
                let schema = member("inputSchema", of: tool)
                #expect(JSONText.string(member("type", of: schema), in: bytes) == "object")
                #expect(JSONText.kind(of: member("properties", of: schema), in: bytes) == .object)
                #expect(JSONText.kind(of: member("required", of: schema), in: bytes) == .array)
                let annotations = member("annotations", of: tool)
                if JSONText.bool(member("readOnlyHint", of: annotations), in: bytes) == true {
                    readOnly.append(name)
                } else if JSONText.bool(member("destructiveHint", of: annotations), in: bytes) == true {
                    destructive.append(name)
                } else {
                    other.append(name)
                }
            }
            #expect(
                readOnly == [
                    "read_file", "read_multiple_files", "list_directory", "directory_tree", "search_files",
                    "get_file_info", "list_allowed_directories",
                ])
            #expect(destructive == ["write_file", "edit_file", "move_file", "delete_file"])
            #expect(other == ["create_directory"])
            let paged = #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}"#
            #expect(try #require(area.answer(paged)).contains("-32602"))
        }
    }

    @Test(
        "Arguments that the tool does not take are refused before anything is done",
        arguments: [
            (
                "write_file", ["path": "a", "content": "x", "mode": "1"],
                #""mode" is not known in arguments; known: path, content"#
            ),
            ("write_file", ["path": "a"], #"arguments must have "content""#),
            ("write_file", ["path": "a", "content": 1], "content must be a string"),
            (
                "write_file", .object([("path", "a"), ("path", "b"), ("content", "x")]),
                #""path" is in arguments twice"#
            ),
            ("write_file", .list([]), "arguments must be an object"),
            ("read_file", ["path": "a", "head": 0], "head must be an integer above 0"),
            ("read_file", ["path": "a", "head": 1, "tail": 1], "head and tail cannot be given together"),
            ("read_multiple_files", ["paths": []], "paths must not be empty"),
            ("read_multiple_files", ["paths": [1]], "paths must be an array of strings"),
            ("edit_file", ["path": "a", "edits": []], "edits must not be empty"),
            (
                "edit_file", ["path": "a", "edits": [["oldText": "a"]]],
                #"an element of edits must have "newText""#
            ),
            (
                "edit_file", ["path": "a", "edits": [["oldText": "a", "newText": "b"]], "dryRun": "yes"],
                "dryRun must be true or false"
            ),
            ("search_files", ["path": ".", "pattern": ""], "a pattern must not be empty"),
            ("list_allowed_directories", ["x": 1], #""x" is not known in arguments; known: none"#),
        ] as [(String, Argument, String)])
    func arguments(tool: String, arguments: Argument, message: String) throws {
        try Area.with { area throws in
            #expect(try area.error(tool, arguments) == message)
            #expect(area.names(".") == [])
        }
    }

    @Test("An oversize request is answered by its id, an oversize response is not")
    func oversize() throws {
        try Area.with { area in
            let server = FilesystemServer(try AllowedDirectories([area.inside], home: nil))
            let request = ByteBuffer(string: #"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"x":""#)
            let reply = try #require(server.answerOversize(head: request).map { String(buffer: $0) })
            #expect(reply.hasPrefix(#"{"jsonrpc":"2.0","id":9,"error":{"code":-32603,"#))
            #expect(server.answerOversize(head: ByteBuffer(string: #"{"jsonrpc":"2.0","id":9,"result":{"#)) == nil)
        }
    }

    @Test("The loop answers line by line until the input ends, the unterminated last line included")
    func loop() throws {
        try Area.with { area in
            let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
            try area.put("\(ping)\n\n{\n\(ping)", at: "input")
            let input = open(area.inside + "/input", O_RDONLY | O_CLOEXEC)
            let output = open(area.inside + "/output", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            try #require(input >= 0 && output >= 0)
            defer {
                close(input)
                close(output)
            }
            try StdioLoop(input: input, output: output).run(
                FilesystemServer(try AllowedDirectories([area.inside], home: nil)))
            let lines = try #require(area.content("output")).split(separator: "\n", omittingEmptySubsequences: false)
            let pong = #"{"jsonrpc":"2.0","id":1,"result":{}}"#
            #expect(lines.count == 4 && lines[0] == pong && lines[1].contains("-32700") && lines[2] == pong)
            #expect(lines.last == "")
        }
    }
}
