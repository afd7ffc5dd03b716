import Testing

@testable import Upstream

@Suite struct StderrRelayTests {
    @Test("lines come out whole wherever the bytes are cut")
    func cuts() {
        let text = Array("first\nsecond é\r\n\nlast".utf8)
        for cut in 0...text.count {
            var relay = StderrRelay()
            var lines: [String] = []
            relay.receive(text[..<cut], now: 0) { lines.append($0) }
            relay.receive(text[cut...], now: 0) { lines.append($0) }
            relay.end(now: 0) { lines.append($0) }
            #expect(lines == ["first", "second é", "last"], "cut at \(cut)")
        }
    }

    @Test(
        "a line cannot look like another one",
        arguments: [
            ("\u{1B}[31mred\u{1B}[0m", #"\u{1b}[31mred\u{1b}[0m"#),
            ("ok\r[INFO] forged", #"ok\u{d}[INFO] forged"#),
            ("a\u{202E}b\u{2066}c", #"a\u{202e}b\u{2066}c"#),
            ("a\u{2028}b\u{2029}c\u{85}d", #"a\u{2028}b\u{2029}c\u{85}d"#),
            ("tab\there\u{0}\u{7F}", #"tab\u{9}here\u{0}\u{7f}"#),
            ("\u{FEFF}zero\u{200B}width\u{E0041}", #"\u{feff}zero\u{200b}width\u{e0041}"#),
            ("grüße 日本 🎉", "grüße 日本 🎉"),
        ])
    func escaping(text: String, expected: String) {
        #expect(relayed(Array(text.utf8) + [10]) == [expected])
    }

    @Test("bytes that are no UTF-8 are shown as such")
    func invalid() {
        #expect(relayed([0x61, 0xFF, 0x62, 10]) == ["a\u{FFFD}b"])
    }

    @Test("a line is cut at the cap and says by how much", arguments: [(4096, nil), (4097, 1), (1_000_000, 995_904)])
    func longLine(length: Int, cut: Int?) {
        let lines = relayed([UInt8](repeating: 0x78, count: length) + [10, 0x79, 10])
        let kept = String(repeating: "x", count: 4096)
        #expect(lines == [cut.map { "\(kept) (\($0) more bytes cut)" } ?? kept, "y"])
    }

    @Test("a flood passes its burst, then waits for a second's worth, with the count in between")
    func flood() {
        var relay = StderrRelay()
        var lines: [String] = []
        for number in 1...5000 { relay.receive(Array("\(number)\n".utf8), now: 10) { lines.append($0) } }
        #expect(lines.count == 1000)
        #expect(relay.suppressed == 4000)
        relay.receive(Array("early\n".utf8), now: 10.9) { lines.append($0) }
        #expect(lines.count == 1000)
        relay.receive(Array("later\n".utf8), now: 11) { lines.append($0) }
        #expect(lines[1000...] == ["(lines suppressed: 4001, beyond 200 a second)", "later"])
    }

    @Test("a steady flood yields no more than its rate and one count a second")
    func steadyFlood() {
        var relay = StderrRelay()
        var count = 0
        for step in 0..<10_000 { relay.receive([0x78, 10], now: Double(step) / 1000) { _ in count += 1 } }
        #expect((2900...3010).contains(count), "\(count)")
    }

    @Test("the count is given at the end, and on request only once")
    func endCount() {
        var relay = StderrRelay()
        for _ in 1...1002 { relay.receive([0x78, 10], now: 0) { _ in } }
        var lines: [String] = []
        relay.reportSuppressed { lines.append($0) }
        relay.reportSuppressed { lines.append($0) }
        relay.receive([0x78], now: 0) { lines.append($0) }
        relay.end(now: 0) { lines.append($0) }
        #expect(
            lines == [
                "(lines suppressed: 2, beyond 200 a second)", "(lines suppressed: 1, beyond 200 a second)",
            ])
    }

    private func relayed(_ bytes: [UInt8]) -> [String] {
        var relay = StderrRelay()
        var lines: [String] = []
        relay.receive(bytes, now: 0) { lines.append($0) }
        return lines
    }
}
