#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif
import JSONRPCWire
import NIOCore
import OutputSanitizer

/// Hands the command line to libFuzzer, which then calls ``fuzzOneInput``; see `WireFuzz` for the driver.
@main
struct SanitizerFuzz {
    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(runDriver(&count, &arguments, fuzzOneInput))
    }
}

// A C function with pointers only, for which both calling conventions agree; libFuzzer comes without a module.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Sanitises whatever it is given, as the text of a block or as a whole result, and traps where a promise breaks.
///
/// The first byte chooses the stages, what the rest is taken for, and how a text is spelled; `scripts/fuzz` builds and
/// runs it.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer lends `count` bytes from `start` for the time of this call; they are copied at once.
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    let stages = choice & 7 == 0 ? SanitizerStages.all : SanitizerStages(rawValue: choice & 7)
    if choice & 8 == 0 {
        checkText(String(decoding: input.dropFirst(), as: UTF8.self), stages, style: choice >> 4)
    } else {
        checkResult(input.dropFirst(), stages)
    }
    return 0
}

/// The input as it stands, as a result.
private func checkResult(_ input: ArraySlice<UInt8>, _ stages: SanitizerStages) {
    var line = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":"#)
    line.writeBytes(input)
    line.writeString("}")
    if let message = scanned(line) { check(message, stages) }
}

/// The input as the text of a block.
private func checkText(_ text: String, _ stages: SanitizerStages, style: UInt8) {
    var line = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"#)
    write(text, style: style, to: &line)
    line.writeString("}]}}")
    guard let message = scanned(line) else { preconditionFailure("a written message is none") }
    let output = check(message, stages)
    let content = JSONText.member("content", of: output.scan[.result], in: output.bytes)
    var sanitized: String?
    JSONText.forEachElement(of: content, in: output.bytes) { block in
        sanitized = JSONText.string(JSONText.member("text", of: block, in: output.bytes), in: output.bytes)
    }
    guard let sanitized else { preconditionFailure("the text is gone") }
    if Survivors.mayBeJSON(text) || Survivors.mayBeJSON(sanitized) { return }
    if let survivor = Survivors.find(in: sanitized, stages) { preconditionFailure("\(survivor) survives") }
    if Survivors.isPlain(text) { precondition(output === message, "a plain text was rewritten") }
}

/// Writes a text in quotes, with more escapes than it needs, by its style.
private func write(_ text: String, style: UInt8, to line: inout ByteBuffer) {
    guard style != 0 else { return JSONText.appendQuoted(text, to: &line) }
    line.writeString("\"")
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if scalar.value >= 0x20, scalar != "\"", scalar != "\\", index % Int(style) != 0 {
            line.writeString(String(scalar))
            continue
        }
        for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            line.writeString("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
        }
    }
    line.writeString("\"")
}

private func scanned(_ line: ByteBuffer) -> Message? {
    guard case .message(let scan) = MessageScanner(maxDepth: 512).scan(line) else { return nil }
    return Message(bytes: line, scan: scan)
}

/// What holds of every response. Returns the message as it leaves.
@discardableResult
private func check(_ message: Message, _ stages: SanitizerStages) -> Message {
    let sanitizer = OutputSanitizer(SanitizerOptions(stages: stages))
    guard let output = sanitizer.sanitize(message) else { return message }
    precondition(output.bytes != message.bytes, "nothing changed, but the response was rewritten")
    guard let again = scanned(output.bytes) else { preconditionFailure("a sanitised message is none") }
    precondition(again.scan.kind == message.scan.kind, "the kind changed")
    precondition(sanitizer.sanitize(again) == nil, "sanitising again changes something")
    precondition(output.removed.total > 0, "something was removed and not counted")
    precondition(
        (output.removed.invisible == 0 || stages.contains(.invisible))
            && (output.removed.markup == 0 || stages.contains(.markup))
            && (output.removed.codeFences == 0 || stages.contains(.codeFences)), "a stage ran that was not chosen")
    precondition(skeleton(message.bytes) == skeleton(output.bytes), "more than the values of strings changed")
    return again
}

/// The message without what stands in strings that are no member names.
private func skeleton(_ bytes: ByteBuffer) -> [UInt8] {
    let bytes = Array(bytes.readableBytesView)
    var output: [UInt8] = []
    var index = 0
    while index < bytes.count {
        guard bytes[index] == UInt8(ascii: "\"") else {
            output.append(bytes[index])
            index += 1
            continue
        }
        let start = index
        index += 1
        while bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        index += 1
        let next = bytes[index...].first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        output += next == UInt8(ascii: ":") ? bytes[start..<index] : bytes[start...start]
    }
    return output
}
