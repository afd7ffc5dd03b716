#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif
import JSONRPCWire
import NIOCore

/// Hands the command line to libFuzzer, which then calls ``fuzzOneInput``.
///
/// The package manager renames each executable's `main`, so libFuzzer's own, which would look for
/// `LLVMFuzzerTestOneInput`, cannot be linked; its driver is the documented way for programs with a `main`.
@main
struct WireFuzz {
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

/// Frames, scans, reads and splices whatever it is given, and traps where a promise breaks.
///
/// The first byte chooses the cap and how the rest is cut into chunks; `scripts/fuzz` builds and runs it.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer lends `count` bytes from `start` for the time of this call; they are copied at once.
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    let bytes = input.dropFirst()
    let cap = choice & 1 == 0 ? 1 << 20 : 64
    let chunkSize = choice < 8 ? max(bytes.count, 1) : Int(choice)

    let lines = frames(ByteBuffer(bytes: bytes), cap: cap, chunkSize: chunkSize)
    let whole = frames(ByteBuffer(bytes: bytes), cap: cap, chunkSize: max(bytes.count, 1))
    precondition(lines.count == whole.count, "the frames depend on the chunks")
    for (line, reference) in zip(lines, whole) {
        precondition(line.isOversize == reference.isOversize, "the cap depends on the chunks")
        if line.isOversize {
            precondition(line.bytes.readableBytes <= LineFramer.headByteCount, "a head is too long")
        } else {
            precondition(line.bytes == reference.bytes, "a line depends on the chunks")
            precondition(line.bytes.readableBytes <= cap, "a line is longer than the cap")
        }
        check(line.bytes)
    }
    // The whole input as one line, so that newlines within a message are tried as well.
    check(ByteBuffer(bytes: bytes))
    return 0
}

private struct Line {
    var bytes: ByteBuffer
    var isOversize: Bool
}

private func frames(_ stream: ByteBuffer, cap: Int, chunkSize: Int) -> [Line] {
    var stream = stream
    var framer = LineFramer(maxMessageBytes: cap)
    var lines: [Line] = []
    func take(_ frame: LineFramer.Frame) {
        switch frame {
        case .line(let bytes): lines.append(Line(bytes: bytes, isOversize: false))
        case .oversize(let head): lines.append(Line(bytes: head, isOversize: true))
        }
    }
    while let chunk = stream.readSlice(length: min(chunkSize, stream.readableBytes)), chunk.readableBytes > 0 {
        framer.append(chunk)
        while let frame = framer.next() { take(frame) }
        precondition(framer.bufferedBytes <= cap, "more is kept than the cap")
    }
    while let frame = framer.finish() { take(frame) }
    precondition(framer.bufferedBytes == 0, "something is left at the end")
    return lines
}

private func check(_ line: ByteBuffer) {
    let scanner = MessageScanner(maxDepth: 16)
    let peek = scanner.peek(line)
    if peek.id.isPresent { precondition(RequestID(peek.id, in: line) != nil, "a peeked id is none") }
    switch scanner.scan(line) {
    case .message(let scan): check(scan, line)
    case .batch(let elements):
        precondition((1...MessageScanner.maxBatchCount).contains(elements.count), "a batch has a wrong size")
        for element in elements {
            if case (.message(let scan), let bytes) = scanner.scan(element: element, of: line) { check(scan, bytes) }
        }
    case .rejected(let rejection): check(rejection, line)
    }
}

private func check(_ rejection: Rejection, _ line: ByteBuffer) {
    precondition((0...line.readableBytes).contains(rejection.offset), "an offset lies outside of the line")
    if rejection.code == -32700 {
        precondition(!rejection.id.isPresent, "what is no JSON has no id")
    } else if rejection.id.isPresent {
        precondition(RequestID(rejection.id, in: line) != nil, "a rejection's id cannot be read")
        precondition(JSONText.kind(of: rejection.id, in: line) != .null, "a rejection's id is null")
    }
}

private func check(_ scan: MessageScan, _ bytes: ByteBuffer) {
    precondition(scan.length == bytes.readableBytes, "a scan has a wrong length")
    for member in Member.allCases where scan[member].isPresent {
        precondition(Int(scan[member].upper) <= bytes.readableBytes, "a member lies outside of the message")
        read(scan[member], bytes)
    }
    if scan.kind == .request || scan.kind == .result {
        precondition(RequestID(scan[.id], in: bytes) != nil, "a message's id cannot be read")
    }
    splice(scan, bytes)
}

private func read(_ range: ByteRange, _ bytes: ByteBuffer) {
    let text = JSONText.string(range, in: bytes)
    if let text {
        var quoted = ByteBuffer()
        JSONText.appendQuoted(text, to: &quoted)
        precondition(
            JSONText.string(ByteRange(0, quoted.readableBytes), in: quoted) == text, "a string changed when quoted")
    }
    _ = JSONText.integer(range, in: bytes)
    _ = JSONText.equals(range, "tools/call", in: bytes)
    _ = JSONText.member("name", of: range, in: bytes)
    JSONText.forEachMember(of: range, in: bytes) { precondition($1.isPresent, "member \($0) is absent") }
    JSONText.forEachElement(of: range, in: bytes) { precondition($0.isPresent, "an element is absent") }
    let lexeme = Lexeme(range, in: bytes)
    precondition(lexeme.byteCount == range.count, "a lexeme has a wrong length")
    _ = lexeme.display
}

private func splice(_ scan: MessageScan, _ bytes: ByteBuffer) {
    var message = SplicedMessage(bytes)
    if scan[.id].isPresent { message.replace(scan[.id], withInteger: .max) }
    if scan[.metaProgressToken].isPresent { message.replace(scan[.metaProgressToken], with: .null) }
    if scan[.resultTools].isPresent { message.replace(scan[.resultTools], withBytes: ByteBuffer(string: "[]")) }
    let rendered = message.rendered()
    precondition(rendered.readableBytes == message.byteCount, "a spliced message has a wrong length")
    var pieces = ByteBuffer()
    message.forEachPiece { pieces.writeImmutableBuffer($0) }
    precondition(pieces == rendered, "the pieces are not the message")
    guard case .message(let again) = MessageScanner(maxDepth: 16).scan(rendered) else {
        preconditionFailure("a spliced message is no message")
    }
    precondition(again.kind == scan.kind, "splicing changed the kind of the message")
}
