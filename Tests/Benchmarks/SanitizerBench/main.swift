import JSONRPCWire
import NIOCore
import OutputSanitizer

/// How fast tool results are sanitised: the best of several rounds, on one core.
///
/// Pin it: `taskset -c 1 .build/release/SanitizerBench [name of one measurement]`. Wanted are 1 GB/s for clean ASCII
/// text and 300 MB/s for clean text in several scripts, where nothing is rewritten. The text is the same in every
/// round, hence the numbers are flattered by branch prediction.
enum Results {
    static let ascii = String(
        repeating: "All work and no play makes Jack a dull boy, (said he) and 3 > 2; see a/b.txt, 100% of it! ",
        count: 12_000)
    static let log = String(
        repeating: "2026-11-21T18:00:00Z [INFO] gatekit: request 1042 took 3.2 ms, \"read_file\" -> ok [cached]\n",
        count: 12_000)
    static let json = String(
        repeating: #"{"id": 1042, "name": "device-7", "tags": ["a", "b"], "path": "C:\\temp\\x", "ok": true}, "#,
        count: 12_000)
    static let mixed = String(
        repeating: "Grüße aus Köln, naïve café — Привет, мир; 日本語のテキスト, 中文内容 and some 👍 emoji. ", count: 10_000)
    static let chinese = String(repeating: "云安全策略已经更新，请检查所有设备的状态。", count: 15_000)
    static let fences = String(
        repeating: "Some prose, and code:\n```swift\nlet x = a < b ? 1 : 2\n```\n", count: 12_000)
    static let html = String(
        repeating: "<div class=\"row\"><a href='https://x.example/'>A link</a> and text &amp; <b>more</b></div>\n",
        count: 12_000)
    static let hostile = String(repeating: "<", count: 500_000) + String(repeating: "[", count: 500_000)

    static func message(_ text: String) -> Message {
        var bytes = ByteBuffer(string: #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"#)
        JSONText.appendQuoted(text, to: &bytes)
        bytes.writeString("}]}}")
        guard case .message(let scan) = MessageScanner(maxDepth: 128).scan(bytes) else { fatalError("no message") }
        return Message(bytes: bytes, scan: scan)
    }
}

/// Keeps a result alive, so that the work behind it is not optimised away.
@inline(never)
func sink<Value>(_ value: Value) {
    withExtendedLifetime(value) {}
}

func measure(_ name: String, _ text: String, isClean: Bool, wanted: Int? = nil, repetitions: Int = 1) {
    if let chosen = CommandLine.arguments.dropFirst().first, chosen != name { return }
    let message = Results.message(text)
    let sanitizer = OutputSanitizer()
    guard (sanitizer.sanitize(message) == nil) == isClean else { fatalError("\(name) is not what it should be") }
    let clock = ContinuousClock()
    var best = Duration.seconds(1_000)
    for _ in 0..<25 {
        best = min(best, clock.measure { for _ in 0..<repetitions { sink(sanitizer.sanitize(message)) } })
    }
    let nanoseconds = Double(best.components.attoseconds) / 1e9 / Double(repetitions)
    let rate = Int(Double(message.bytes.readableBytes) / nanoseconds * 1_000)
    let verdict = wanted.map { ", wanted ≥ \($0): \(rate >= $0 ? "met" : "NOT MET")" } ?? ""
    print("\(name): \(message.bytes.readableBytes) B, \(Int(nanoseconds)) ns, \(rate) MB/s\(verdict)")
}

// In a function, since access to the variables of this file would be checked at run time in each round.
func measureAll() {
    measure("ascii", Results.ascii, isClean: true, wanted: 1_000)
    measure("mixed", Results.mixed, isClean: true, wanted: 300)
    measure("chinese", Results.chinese, isClean: true, wanted: 300)
    measure("small", "3 devices: alpha, beta and gamma.\nAll of them are up.", isClean: true, repetitions: 10_000)
    measure("small with a tag", "3 devices: <b>alpha</b>", isClean: false, repetitions: 10_000)
    measure("log", Results.log, isClean: true)
    measure("json", "[" + Results.json + "{}]", isClean: true)
    measure("fences", Results.fences, isClean: true)
    measure("brackets", Results.hostile, isClean: true)
    measure("html", Results.html, isClean: false)
    measure("json with html", "[" + Results.json + "\"<b>x</b>\"]", isClean: false)
}

measureAll()
