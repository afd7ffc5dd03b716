import Glibc
import MCPFilesystem
import Testing

@Suite("Writing files")
struct WriteToolsTests {
    @Test("A file is created and replaced, and nothing else is left behind")
    func write() throws {
        try Area.with { area in
            #expect(
                try area.text("write_file", ["path": "a.txt", "content": "é"]) == "Successfully wrote to a.txt")
            #expect(area.content("a.txt") == "é")
            _ = try area.text("write_file", ["path": "a.txt", "content": ""])
            #expect(area.content("a.txt") == "")
            #expect(area.names(".") == ["a.txt"])
        }
    }

    @Test(
        "Replacing keeps the mode, but neither setuid nor setgid",
        arguments: [(0o600, 0o600), (0o755, 0o755), (0o6711, 0o711)] as [(mode_t, mode_t)])
    func mode(before: mode_t, after: mode_t) throws {
        try Area.with { area in
            try area.put("old", at: "a.txt", mode: before)
            _ = try area.text("write_file", ["path": "a.txt", "content": "new"])
            var status = stat()
            try #require(stat(area.inside + "/a.txt", &status) == 0)
            #expect(status.st_mode & 0o7777 == after)
        }
    }

    @Test("Whoever has the old file open sees all of the old content")
    func atomicity() throws {
        try Area.with { area in
            try area.put("old content", at: "a.txt")
            let file = open(area.inside + "/a.txt", O_RDONLY | O_CLOEXEC)
            try #require(file >= 0)
            defer { close(file) }
            _ = try area.text("write_file", ["path": "a.txt", "content": "new"])
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = read(file, &bytes, bytes.count)
            #expect(String(decoding: bytes[..<count], as: UTF8.self) == "old content")
            #expect(area.content("a.txt") == "new")
        }
    }

    @Test("A write through links inside reaches their target, also one that is not there yet")
    func links() throws {
        try Area.with { area in
            try area.makeFolder("sub")
            try area.put("old", at: "a.txt")
            try area.link("sub/second", to: "../a.txt")
            try area.link("first", to: "sub/second")
            try area.link("dangling", to: "sub/new.txt")
            try area.link("loop", to: "loop")
            _ = try area.text("write_file", ["path": "first", "content": "one"])
            _ = try area.text("write_file", ["path": "dangling", "content": "two"])
            #expect(area.content("a.txt") == "one")
            #expect(area.content("sub/new.txt") == "two")
            #expect(area.names(".") == ["a.txt", "dangling", "first", "loop", "sub"])
            #expect(try area.error("write_file", ["path": "loop", "content": ""]).contains("symbolic link"))
        }
    }

    @Test(
        "What cannot be written is refused and named",
        arguments: [
            ("folder", #""folder" is a directory, not a file"#), ("none/a.txt", #""none/a.txt" does not exist"#),
            (".", #""." names no entry of a directory; end the path with a name"#),
            ("a.txt/b", #""a.txt/b" is not a directory, or has a file among its parents"#),
            ("big", #""big" would have 6 bytes, more than the 5 that max_file_bytes allows"#),
        ])
    func refusals(path: String, message: String) throws {
        try Area.with(Limits(maxFileBytes: 5)) { area in
            try area.makeFolder("folder")
            try area.put("x", at: "a.txt")
            let content = path == "big" ? "123456" : "12345"
            #expect(try area.error("write_file", ["path": .text(path), "content": .text(content)]) == message)
            #expect(area.names(".") == ["a.txt", "folder"])
        }
    }

    @Test("Directories are created with those above them, and an existing one is fine")
    func directories() throws {
        try Area.with { area in
            for _ in 0..<2 {
                #expect(
                    try area.text("create_directory", ["path": "a/b/../c"])
                        == "Successfully created directory a/b/../c")
            }
            #expect(area.names("a") == ["b", "c"])
            try area.put("", at: "file")
            try area.link("nowhere", to: "none")
            #expect(try area.error("create_directory", ["path": "file"]).contains("file"))
            #expect(try area.error("create_directory", ["path": "file/x"]).contains("file/x"))
            #expect(try area.error("create_directory", ["path": "nowhere"]).contains("nowhere"))
            #expect(area.names(".") == ["a", "file", "nowhere"])
        }
    }

    @Test("Moving renames files, directories and links, and never overwrites")
    func move() throws {
        try Area.with { area in
            try area.put("one", at: "a.txt")
            try area.put("two", at: "b.txt")
            try area.makeFolder("sub")
            try area.link("link", to: "none")
            #expect(
                try area.error("move_file", ["source": "a.txt", "destination": "b.txt"])
                    == #""b.txt" exists already; move_file never overwrites"#)
            #expect(
                try area.error("move_file", ["source": "a.txt", "destination": "link"]).contains("never overwrites"))
            #expect(try area.error("move_file", ["source": "sub", "destination": "sub/x"]).contains("into itself"))
            #expect(try area.error("move_file", ["source": "none", "destination": "c"]) == #""none" does not exist"#)
            #expect(try area.error("move_file", ["source": ".", "destination": "c"]).contains("names no entry"))
            #expect(area.content("b.txt") == "two")
            #expect(
                try area.text("move_file", ["source": "a.txt", "destination": "sub/c.txt"])
                    == "Successfully moved a.txt to sub/c.txt")
            _ = try area.text("move_file", ["source": "sub", "destination": "dir"])
            _ = try area.text("move_file", ["source": "link", "destination": "moved"])
            #expect(area.names(".") == ["b.txt", "dir", "moved"])
            #expect(area.content("dir/c.txt") == "one")
        }
    }

    @Test("Deleting takes files and links, not what they link to, and no directory")
    func delete() throws {
        try Area.with { area in
            try area.put("one", at: "a.txt")
            try area.link("link", to: "a.txt")
            try area.makeFolder("sub")
            #expect(try area.text("delete_file", ["path": "link"]) == "Successfully deleted link")
            #expect(area.names(".") == ["a.txt", "sub"])
            #expect(try area.error("delete_file", ["path": "sub"]).contains("is a directory"))
            _ = try area.text("delete_file", ["path": "a.txt"])
            #expect(try area.error("delete_file", ["path": "a.txt"]) == #""a.txt" does not exist"#)
            #expect(area.names(".") == ["sub"])
        }
    }
}
