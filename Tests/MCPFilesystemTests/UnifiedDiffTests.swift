import Testing

@testable import MCPFilesystem

@Suite("Unified diffs")
struct UnifiedDiffTests {
    @Test(
        "Hunks have the form that git prints",
        arguments: [
            ("", "a\n", "@@ -0,0 +1 @@\n+a\n"), ("a\n", "", "@@ -1 +0,0 @@\n-a\n"),
            ("a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
            (
                "a\nb", "a\nc",
                "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
            ),
            (
                "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
                "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"
            ),
            (
                "1\n2\n3\n4\n5\n6\n7\n", "2\n3\n4\n5\n6\n7\n8\n",
                "@@ -1,7 +1,7 @@\n-1\n 2\n 3\n 4\n 5\n 6\n 7\n+8\n"
            ),
            ("a\r\n", "a\n", "@@ -1 +1 @@\n-a\r\n+a\n"),
        ])
    func form(old: String, new: String, hunks: String) {
        let diff = UnifiedDiff.text(path: "/dir/f", old: Array(old.utf8), new: Array(new.utf8))
        #expect(Array(diff.utf8) == Array("--- a/dir/f\n+++ b/dir/f\n\(hunks)".utf8))
    }

    @Test("No difference is no diff")
    func same() {
        #expect(UnifiedDiff.text(path: "f", old: [0x61], new: [0x61]) == "")
    }

    @Test("A diff leads from the old text to the new, whatever they are", arguments: 0..<300)
    func property(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let old = randomText(&dice)
        let new = Bool.random(using: &dice) ? randomText(&dice) : changed(old, &dice)
        let diff = UnifiedDiff.text(path: "f", old: Array(old.utf8), new: Array(new.utf8))
        #expect(try patched(old, with: diff) == new)
    }

    @Test("Texts further apart than is sought get a diff all the same")
    func farApart() throws {
        let old = (0..<3000).map { "old \($0)\n" }.joined()
        let new = "first\n" + (0..<3000).map { $0 % 7 == 0 ? "old \($0)\n" : "new \($0)\n" }.joined()
        let diff = UnifiedDiff.text(path: "f", old: Array(old.utf8), new: Array(new.utf8))
        #expect(try patched(old, with: diff) == new)
    }

    @Test("A few changes far apart are shown as such")
    func minimal() {
        let lines = (0..<5000).map { "line \($0)\n" }
        var changed = lines
        changed[3] = "x\n"
        changed.remove(at: 4990)
        let diff = UnifiedDiff.text(path: "f", old: Array(lines.joined().utf8), new: Array(changed.joined().utf8))
        #expect(diff.split(separator: "\n").filter { $0.hasPrefix("+") || $0.hasPrefix("-") }.count == 5)
    }

    private func randomText(_ dice: inout Dice) -> String {
        let lines = (0..<Int.random(in: 0...40, using: &dice)).map { _ in
            ["a", "b", "c", "d", ""].randomElement(using: &dice) ?? ""
        }
        return lines.joined(separator: "\n") + (Bool.random(using: &dice) ? "\n" : "")
    }

    private func changed(_ text: String, _ dice: inout Dice) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for _ in 0..<Int.random(in: 1...4, using: &dice) {
            let place = Int.random(in: 0...lines.count, using: &dice)
            if place < lines.count, Bool.random(using: &dice) {
                lines.remove(at: place)
            } else {
                lines.insert("x", at: place)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Applies a diff as `patch` would, without any tolerance.
    private func patched(_ old: String, with diff: String) throws -> String {
        var source = old.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) + "\n" }
        // The part behind the last line feed is a line only when there is something in it.
        let last = String(source.removeLast().dropLast())
        if !last.isEmpty { source.append(last) }
        var output: [String] = []
        var next = 0
        var lines = diff.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(diff.isEmpty ? 0 : 2)
            .dropLast()[...]
        while let line = lines.popFirst() {
            if line.hasPrefix("@@ -") {
                let numbers = line.dropFirst(4).prefix { $0 != " " }.split(separator: ",")
                let start = try #require(Int(numbers[0]))
                let target = numbers.count == 2 && numbers[1] == "0" ? start : start - 1
                output += source[next..<target]
                next = target
                continue
            }
            let isCut = lines.first?.hasPrefix("\\") == true
            if isCut { _ = lines.popFirst() }
            let text = String(line.dropFirst()) + (isCut ? "" : "\n")
            if line.first != "+" {
                try #require(source[next] == text)
                next += 1
            }
            if line.first != "-" { output.append(text) }
        }
        return (output + source[next...]).joined()
    }
}

/// A deterministic source of random values (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
