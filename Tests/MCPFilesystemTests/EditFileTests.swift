import MCPFilesystem
import Testing

@Suite("Editing files")
struct EditFileTests {
    @Test("Edits apply one after the other, and the diff shows all of them")
    func edits() throws {
        try Area.with { area in
            try area.put("one\ntwo\nthree\n", at: "a.txt", mode: 0o600)
            let edits: Argument = [
                ["oldText": "two", "newText": "2"], ["oldText": "2\nthree", "newText": "2\nthree\nfour"],
            ]
            let diff = """
                ```diff
                --- a/a.txt
                +++ b/a.txt
                @@ -1,3 +1,4 @@
                 one
                -two
                +2
                 three
                +four
                ```

                """
            #expect(try area.text("edit_file", ["path": "a.txt", "edits": edits, "dryRun": true]) == diff)
            #expect(area.content("a.txt") == "one\ntwo\nthree\n")
            #expect(try area.text("edit_file", ["path": "a.txt", "edits": edits]) == diff)
            #expect(area.content("a.txt") == "one\n2\nthree\nfour\n")
        }
    }

    @Test(
        "An edit that does not name one place changes nothing",
        arguments: [
            ("four", "oldText is not in \"a.txt\"; it must match exactly, blanks and line ends included"),
            ("e", "oldText is in \"a.txt\" more than once; add lines around it until it names one place"),
            ("", "oldText must not be empty"),
            ("e\u{301}", "oldText is not in \"a.txt\"; it must match exactly, blanks and line ends included"),
        ])
    func refusals(oldText: String, message: String) throws {
        try Area.with { area in
            try area.put("one\ntwo\nthree\né\n", at: "a.txt")
            let arguments: Argument = ["path": "a.txt", "edits": [["oldText": .text(oldText), "newText": "x"]]]
            #expect(try area.error("edit_file", arguments) == message)
            let second: Argument = [
                "path": "a.txt",
                "edits": [["oldText": "two", "newText": "2"], ["oldText": .text(oldText), "newText": "x"]],
            ]
            #expect(try area.error("edit_file", second).hasPrefix("oldText of edit 2 "))
            #expect(area.content("a.txt") == "one\ntwo\nthree\né\n")
        }
    }

    @Test("Overlapping places are more than one")
    func overlap() throws {
        try Area.with { area in
            try area.put("aaa", at: "a.txt")
            let arguments: Argument = ["path": "a.txt", "edits": [["oldText": "aa", "newText": "b"]]]
            #expect(try area.error("edit_file", arguments).contains("more than once"))
        }
    }

    @Test("A file with CR LF keeps its line ends")
    func lineEnds() throws {
        try Area.with { area in
            try area.put("one\r\ntwo\r\nthree\r\n", at: "a.txt")
            let arguments: Argument = ["path": "a.txt", "edits": [["oldText": "one\ntwo", "newText": "1\n2\n2b"]]]
            _ = try area.text("edit_file", arguments)
            #expect(area.content("a.txt") == "1\r\n2\r\n2b\r\nthree\r\n")
        }
    }

    @Test("A diff with backticks stands in a longer fence, and none stands in an empty one")
    func fence() throws {
        try Area.with { area in
            try area.put("````\n", at: "a.md")
            let edit: Argument = ["path": "a.md", "edits": [["oldText": "````", "newText": "```"]]]
            let text = try area.text("edit_file", edit)
            #expect(text.hasPrefix("`````diff\n") && text.hasSuffix("\n`````\n"))
            let same: Argument = ["path": "a.md", "edits": [["oldText": "```", "newText": "```"]]]
            #expect(try area.text("edit_file", same) == "```diff\n```\n")
        }
    }

    @Test("Edits of what is no text, too large or not there are refused")
    func kinds() throws {
        try Area.with(Limits(maxFileBytes: 4)) { area in
            try area.put([0xFF], at: "a.bin")
            try area.put("12345", at: "big")
            try area.put("1234", at: "full")
            let edits: Argument = [["oldText": "1", "newText": "xx"]]
            for (path, part) in [
                ("a.bin", "not UTF-8"), ("big", "max_file_bytes"), ("full", "max_file_bytes"), ("none", "not exist"),
                (".", "names no entry"),
            ] {
                #expect(try area.error("edit_file", ["path": .text(path), "edits": edits]).contains(part), "\(path)")
            }
            #expect(area.content("full") == "1234")
        }
    }
}
