import Glibc
import MCPFilesystem
import Testing

@Suite("Directories")
struct DirectoryToolsTests {
    private func fill(_ area: Area) throws {
        try area.put("", at: "b.txt")
        try area.put("", at: "A.md")
        try area.makeFolder("sub")
        try area.put("", at: "sub/info.txt")
        try area.makeFolder("sub/empty")
        try area.link("link", to: "sub")
    }

    @Test("A listing marks files and directories, in the order of their names")
    func list() throws {
        try Area.with { area in
            #expect(try area.text("list_directory", ["path": "."]) == "")
            try fill(area)
            #expect(
                try area.text("list_directory", ["path": .text(area.inside)])
                    == "[FILE] A.md\n[FILE] b.txt\n[FILE] link\n[DIR] sub")
            #expect(try area.text("list_directory", ["path": "link"]) == "[DIR] empty\n[FILE] info.txt")
            #expect(try area.error("list_directory", ["path": "b.txt"]).contains("not a directory"))
            #expect(try area.error("list_directory", ["path": "none"]) == #""none" does not exist"#)
        }
    }

    @Test("A name cannot forge a line")
    func forgery() throws {
        try Area.with { area in
            try area.put("", at: "a\n[DIR] b")
            try area.put("", at: "c\u{202E}d\"")
            let lines = ##""a\u000a[DIR] b""##
            let turned = ##""c\u202ed\"""##
            #expect(try area.text("list_directory", ["path": "."]) == "[FILE] \(lines)\n[FILE] \(turned)")
            #expect(try area.text("search_files", ["path": ".", "pattern": "a*"]).split(separator: "\n").count == 1)
        }
    }

    @Test("A tree is JSON, enters no link, and leaves out what is excluded")
    func tree() throws {
        try Area.with { area in
            #expect(try area.text("directory_tree", ["path": "."]) == "[]")
            try fill(area)
            let text = """
                [
                  {
                    "name": "b.txt",
                    "type": "file"
                  },
                  {
                    "name": "link",
                    "type": "file"
                  },
                  {
                    "name": "sub",
                    "type": "directory",
                    "children": [
                      {
                        "name": "info.txt",
                        "type": "file"
                      }
                    ]
                  }
                ]
                """
            let arguments: Argument = ["path": ".", "excludePatterns": ["*.md", "sub/empty"]]
            #expect(try area.text("directory_tree", arguments) == text)
        }
    }

    @Test(
        "A search finds by glob, by path and by plain text",
        arguments: [
            ("*.txt", ["/b.txt", "/sub/info.txt"]), ("sub/*", ["/sub/empty", "/sub/info.txt"]),
            ("INFO", ["/sub/info.txt"]),
            ("**/empty", ["/sub/empty"]), ("a.MD", ["/A.md"]), ("a.m?", []),
        ])
    func search(pattern: String, expected: [String]) throws {
        try Area.with { area in
            try fill(area)
            let paths = expected.map { area.inside + $0 }.joined(separator: "\n")
            let text = try area.text("search_files", ["path": ".", "pattern": .text(pattern)])
            #expect(text == (expected.isEmpty ? "No matches found" : paths))
        }
    }

    @Test("A search leaves out what is excluded, and all below it")
    func excludes() throws {
        try Area.with { area in
            try fill(area)
            let arguments: Argument = ["path": .text(area.inside), "pattern": "*.txt", "excludePatterns": ["sub"]]
            #expect(try area.text("search_files", arguments) == "\(area.inside)/b.txt")
        }
    }

    @Test("Every cap is named by its error")
    func caps() throws {
        let limits = Limits(maxEntries: 3, maxSearchedEntries: 5, maxMatches: 1, maxDepth: 1, maxItems: 1)
        try Area.with(limits) { area in
            try area.makeFolder("deep")
            try area.makeFolder("deep/er")
            #expect(try area.text("list_directory", ["path": "."]) == "[DIR] deep")
            try area.makeFolder("deep/er/and")
            #expect(try area.error("directory_tree", ["path": "."]).contains("max_depth"))
            try area.put("", at: "deep/er/x1")
            try area.put("", at: "deep/er/x2")
            #expect(try area.error("search_files", ["path": "deep/er", "pattern": "x*"]).contains("max_matches"))
            try area.put("", at: "deep/er/x3")
            #expect(try area.error("list_directory", ["path": "deep/er"]).contains("the 3 entries that max_entries"))
            #expect(try area.error("directory_tree", ["path": "deep/er"]).contains("max_entries"))
            try area.put("", at: "deep/er/x4")
            try area.put("", at: "deep/er/x5")
            #expect(
                try area.error("search_files", ["path": "deep/er", "pattern": "y"]).contains("max_searched_entries"))
            #expect(try area.error("read_multiple_files", ["paths": ["a", "b"]]).contains("max_items"))
        }
    }

    @Test("The allowed directories are listed by their real paths")
    func allowed() throws {
        try Area.with { area throws in
            #expect(try area.text("list_allowed_directories") == "Allowed directories:\n\(area.inside)")
        }
    }
}
