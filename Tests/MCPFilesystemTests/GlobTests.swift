import MCPFilesystem
import Testing

@testable import struct MCPFilesystem.Glob

@Suite("Globs")
struct GlobTests {
    @Test(
        "Patterns match what they say",
        arguments: [
            ("*.txt", ["a.txt", "sub/a.txt", ".txt"], ["a.txt2", "a.txt/b"]),
            ("sub/*.txt", ["sub/a.txt"], ["a.txt", "x/sub/a.txt", "sub/x/a.txt"]),
            ("**/*.txt", ["a.txt", "sub/x/a.txt"], ["a.md"]),
            ("sub/**", ["sub", "sub/a", "sub/a/b"], ["subs/a", "a/sub"]),
            ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/b/c"]),
            ("?", ["a", "é", "😀", "x/y"], ["ab", ""]),
            ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
            ("[!a-c]x", ["dx"], ["ax"]), ("[]]", ["]"], ["["]), ("[a", ["[a"], ["a"]), ("[^.]*", ["a"], [".a"]),
            ("*.{md,txt}", ["a.md", "a.txt"], ["a.m"]), ("{a,b/{c,d}}", ["a", "b/c", "b/d"], ["b", "c"]),
            ("{a}", ["{a}"], ["a"]), (#"\*"#, ["*"], ["a"]), (#"\{a,b\}"#, ["{a,b}"], ["a"]),
            ("a*b*c", ["abc", "axbxc", "abbcc"], ["ab", "acb"]),
            ("node_modules", ["node_modules", "x/node_modules"], ["node"]),
            ("./a", ["a"], ["b/a"]), ("a.c", ["a.c"], ["abc"]),
        ])
    func patterns(pattern: String, matching: [String], other: [String]) throws {
        let glob = try Glob(pattern)
        for path in matching { #expect(glob.matches(path), "\(path)") }
        for path in other { #expect(!glob.matches(path), "\(path)") }
    }

    @Test("A pattern made to be slow is not")
    func hostile() throws {
        let name = String(repeating: "a", count: 255)
        let path = Array(repeating: name, count: 16).joined(separator: "/")
        #expect(!(try Glob(String(repeating: "*a", count: 500) + "b")).matches(path))
        #expect(!(try Glob(String(repeating: "**/*a*/", count: 140) + "b")).matches(path))
    }

    @Test(
        "What is too much is refused",
        arguments: [
            "", String(repeating: "a", count: 1025), String(repeating: "{a,b}", count: 7),
            String(repeating: "{a,b}", count: 200),
        ])
    func refusals(pattern: String) {
        #expect(throws: FilesystemError.self) { try Glob(pattern) }
    }
}
