import JSONRPCWire
import NIOCore

/// Nanoseconds per message of the wire layer's hot functions, the best of several rounds.
///
/// Pin it: `taskset -c 1 .build/release/WireBench [name of one measurement]`. The text is the same in every round, hence numbers for long
/// messages are flattered by branch prediction.
enum Messages {
    static let call = ByteBuffer(
        string: """
            {"jsonrpc":"2.0","id":1042,"method":"tools/call","params":{"name":"read_file","arguments":\
            {"path":"/srv/sandbox/reports/2026/quarterly-summary.md","encoding":"utf-8","max_bytes":65536,\
            "follow_links":false,"ranges":[[0,4096],[8192,12288]]},"_meta":{"progressToken":"tok-1042",\
            "trace":"00-4bf92f3577b34da6a3ce929d0e0e4736"}}}
            """)
    static let modern = ByteBuffer(
        string: """
            {"jsonrpc":"2.0","id":1042,"method":"tools/call","params":{"name":"read_file","arguments":{"path":"/a"},\
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",\
            "io.modelcontextprotocol/clientCapabilities":{},\
            "io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}}}
            """)
    static let ping = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
    static let text = result(String(repeating: "All work and no play makes a dull gateway. ", count: 25_000))
    static let accented = result(String(repeating: "Grüße aus dem Öffentlichen, naïve café. ", count: 2_000))
    static let escaped = result(String(repeating: #"line of a file\n\tindented \"quoted\" "#, count: 2_000))

    /// What a hostile peer sends: as many names as fit, all of which have to be told apart.
    static let names = ByteBuffer(
        string: #"{"jsonrpc":"2.0","method":"m","params":{"#
            + (0..<100_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}}")

    static func result(_ text: String) -> ByteBuffer {
        ByteBuffer(string: #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"\#(text)"}]}}"#)
    }
}

/// Keeps a result alive, so that the work behind it is not optimised away.
@inline(never)
func sink<Value>(_ value: Value) {
    withExtendedLifetime(value) {}
}

func measure(_ name: String, bytes: Int, repetitions: Int, _ body: () -> Void) {
    if let chosen = CommandLine.arguments.dropFirst().first, chosen != name { return }
    let clock = ContinuousClock()
    var best = Duration.seconds(1_000)
    for _ in 0..<9 {
        best = min(best, clock.measure { for _ in 0..<repetitions { body() } })
    }
    let nanoseconds = Double(best.components.attoseconds) / 1e9 / Double(repetitions)
    let rate = Double(bytes) / nanoseconds * 1_000
    print("\(name): \(bytes) B, \((nanoseconds * 10).rounded() / 10) ns, \(Int(rate)) MB/s")
}

func measureScan(_ name: String, _ message: ByteBuffer, repetitions: Int) {
    let scanner = MessageScanner(maxDepth: 128)
    guard case .message = scanner.scan(message) else { fatalError("\(name) is no message") }
    measure("scan \(name)", bytes: message.readableBytes, repetitions: repetitions) { sink(scanner.scan(message)) }
}

func measureScans() {
    measureScan("ping", Messages.ping, repetitions: 200_000)
    measureScan("call", Messages.call, repetitions: 200_000)
    measureScan("modern call", Messages.modern, repetitions: 200_000)
    measureScan("text result", Messages.text, repetitions: 50)
    measureScan("accented result", Messages.accented, repetitions: 500)
    measureScan("100,000 names", Messages.names, repetitions: 5)
    measureScan("escaped result", Messages.escaped, repetitions: 500)
}

func measureFraming() {
    var batch = ByteBuffer()
    for _ in 0..<64 {
        batch.writeImmutableBuffer(Messages.call)
        batch.writeStaticString("\n")
    }
    let chunk = batch
    measure("frame 64 calls", bytes: chunk.readableBytes, repetitions: 5_000) {
        var framer = LineFramer(maxMessageBytes: 1 << 24)
        framer.append(chunk)
        while let frame = framer.next() { sink(frame) }
    }
}

func measureWriting() {
    let bytes = Messages.call
    guard case .message(let call) = MessageScanner(maxDepth: 128).scan(bytes) else {
        fatalError("the call is no message")
    }
    measure("id", bytes: call[.id].count, repetitions: 1_000_000) { sink(RequestID(call[.id], in: bytes)) }
    measure("lexeme", bytes: call[.id].count, repetitions: 1_000_000) { sink(Lexeme(call[.id], in: bytes)) }
    var output = ByteBuffer()
    output.reserveCapacity(1_024)
    measure("splice id and token", bytes: bytes.readableBytes, repetitions: 200_000) {
        var message = SplicedMessage(bytes)
        message.replace(call[.id], withInteger: 88_123)
        message.replace(call[.metaProgressToken], withInteger: 88_123)
        output.clear()
        message.write(to: &output)
    }
    measure("error reply", bytes: 0, repetitions: 100_000) {
        sink(ErrorReply.bytes(id: .null, code: -32603, message: "no answer in time", data: [("reason", "timeout")]))
    }
}

// In functions, since access to the variables of this file would be checked at run time in each round.
measureScans()
measureFraming()
measureWriting()
