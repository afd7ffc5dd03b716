import Glibc
import MCPFilesystem
import Testing

@Suite("Reading files")
struct ReadToolsTests {
    @Test(
        "A file is read under each of its names",
        arguments: ["a.txt", "./a.txt", "sub/../a.txt", "link.txt", "~/in/a.txt", "sub/up/a.txt"])
    func names(path: String) throws {
        try Area.with { area in
            try area.put("grüße\n", at: "a.txt")
            try area.makeFolder("sub")
            try area.link("link.txt", to: "a.txt")
            try area.link("sub/up", to: "..")
            #expect(try area.text("read_file", ["path": .text(path)]) == "grüße\n")
            #expect(try area.text("read_file", ["path": .text("\(area.inside)//a.txt")]) == "grüße\n")
        }
    }

    @Test(
        "Head and tail count lines",
        arguments: [
            ("head", 1, "one"), ("head", 2, "one\ntwo"), ("head", 3, "one\ntwo\nthree"), ("head", 9, "one\ntwo\nthree"),
            ("tail", 1, "three"), ("tail", 2, "two\nthree"), ("tail", 3, "one\ntwo\nthree"),
            ("tail", 9, "one\ntwo\nthree"),
        ], ["one\ntwo\nthree", "one\ntwo\nthree\n"])
    func partial(argument: (String, Int, String), content: String) throws {
        try Area.with { area in
            try area.put(content, at: "a.txt")
            let (name, count, expected) = argument
            let arguments = Argument.object([("path", "a.txt"), (name, .number(count))])
            #expect(try area.text("read_file", arguments) == expected)
        }
    }

    @Test("Head and tail work on a file above the cap, as long as the part is below it")
    func partOfLargeFile() throws {
        try Area.with(Limits(maxFileBytes: 200_000)) { area in
            let lines = (0..<60_000).map { "line \($0)" }
            try area.put(lines.joined(separator: "\n"), at: "a.txt")
            #expect(try area.error("read_file", ["path": "a.txt"]).contains("200000 that max_file_bytes allows"))
            #expect(
                try area.text("read_file", ["path": "a.txt", "head": 10_000])
                    == lines[..<10_000].joined(separator: "\n"))
            #expect(
                try area.text("read_file", ["path": "a.txt", "tail": 10_000])
                    == lines[50_000...].joined(separator: "\n"))
            for part in ["head", "tail"] {
                let arguments = Argument.object([("path", "a.txt"), (part, 50_000)])
                #expect(try area.error("read_file", arguments).contains("max_file_bytes"))
            }
        }
    }

    @Test("A file of exactly the cap is read, one byte more is refused", arguments: [(10, false), (11, true)])
    func cap(count: Int, isRefused: Bool) throws {
        try Area.with(Limits(maxFileBytes: 10)) { area in
            try area.put(String(repeating: "x", count: count), at: "a.txt")
            #expect(try area.call("read_file", ["path": "a.txt"]).isError == isRefused)
        }
    }

    @Test(
        "What is no UTF-8 is refused",
        arguments: [[0xFF], [0x61, 0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]])
    func encoding(bytes: [UInt8]) throws {
        try Area.with { area in
            try area.put(bytes, at: "a.bin")
            #expect(
                try area.error("read_file", ["path": "a.bin"]) == #""a.bin" is not UTF-8 text; only text is served"#)
        }
    }

    @Test(
        "Every character comes through",
        arguments: ["", "\u{0}\u{1}\u{1F}\u{7F}", "\"\\\r\n", "e\u{301}😀\u{2028}\u{FEFF}"])
    func characters(text: String) throws {
        try Area.with { area in
            try area.put(text, at: "a.txt")
            #expect(Array(try area.text("read_file", ["path": "a.txt"]).utf8) == Array(text.utf8))
        }
    }

    @Test("What is no regular file is refused without being opened")
    func kinds() throws {
        try Area.with { area in
            try area.makeFolder("folder")
            try #require(mkfifo(area.inside + "/fifo", 0o644) == 0)
            try area.link("to-fifo", to: "fifo")
            for tool in ["read_file", "get_file_info", "list_directory", "delete_file"] {
                #expect(try area.error(tool, ["path": "fifo"]).contains(#""fifo" is a FIFO"#), "\(tool)")
            }
            #expect(try area.error("read_file", ["path": "to-fifo"]).contains(#""to-fifo" is a FIFO"#))
            #expect(try area.error("write_file", ["path": "fifo", "content": ""]).contains("is a FIFO"))
            #expect(try area.error("move_file", ["source": "fifo", "destination": "b"]).contains("is a FIFO"))
            #expect(try area.error("read_file", ["path": "folder"]) == #""folder" is a directory, not a file"#)
            #expect(try area.error("read_file", ["path": "none"]) == #""none" does not exist"#)
            #expect(area.names(".") == ["fifo", "folder", "to-fifo"])
        }
    }

    @Test("Several files are read at once, each with its own error")
    func several() throws {
        try Area.with(Limits(maxFileBytes: 10)) { area in
            try area.put("one\n", at: "a.txt")
            try area.put("four", at: "b.txt")
            let text = try area.text("read_multiple_files", ["paths": ["a.txt", "none", "b.txt", "a.txt"]])
            #expect(
                text == """
                    a.txt:
                    one


                    ---
                    none: Error - "none" does not exist
                    ---
                    b.txt:
                    four

                    ---
                    a.txt: Error - "a.txt" would bring the result above the 10 bytes that max_file_bytes allows; read it \
                    by itself
                    """)
        }
    }

    @Test("Information tells size, kind, permissions and times")
    func information() throws {
        try Area.with { area in
            try area.put("12345", at: "a.txt", mode: 0o640)
            var times = [timespec(tv_sec: 86_399, tv_nsec: 0), timespec(tv_sec: 1_709_251_199, tv_nsec: 0)]
            try #require(utimensat(AT_FDCWD, area.inside + "/a.txt", &times, 0) == 0)
            let lines = try area.text("get_file_info", ["path": "a.txt"]).split(separator: "\n").map(String.init)
            #expect(
                lines.filter { !$0.hasPrefix("created: ") } == [
                    "size: 5", "modified: 2024-02-29T23:59:59Z", "accessed: 1970-01-01T23:59:59Z", "isDirectory: false",
                    "isFile: true", "permissions: 640",
                ])
            #expect(try area.text("get_file_info", ["path": "."]).contains("isDirectory: true\nisFile: false"))
        }
    }
}
