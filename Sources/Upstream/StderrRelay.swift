/// Makes log lines out of what an upstream writes to its standard error: whole lines, of bounded length and number,
/// and unable to look like anything else in the log. A pure value; time is given to it.
///
/// At most ``burst`` lines at once and ``linesPerSecond`` on average pass. Once that is used up, the following lines are
/// only counted until a second's worth has built up again, so that a flood leaves blocks of lines with one count
/// between them. A line beyond ``longestLine`` bytes is cut and says so.
struct StderrRelay {
    static let longestLine = 4096
    static let linesPerSecond = 200.0
    static let burst = 1000.0

    private var line: [UInt8] = []
    private var cut = 0
    private var tokens = burst
    private var lastRefill: Double?
    /// Lines that were not passed on and not reported yet.
    private(set) var suppressed = 0

    /// Takes the next bytes, cut anywhere. `now` is in seconds from any origin, and never goes back.
    mutating func receive(_ bytes: some Collection<UInt8>, now: Double, emit: (String) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            append(rest[..<end])
            finishLine(now: now, emit: emit)
            rest = rest[rest.index(after: end)...]
        }
        append(rest)
    }

    /// Takes the end of the stream: an unfinished line still counts.
    mutating func end(now: Double, emit: (String) -> Void) {
        finishLine(now: now, emit: emit)
        reportSuppressed(emit: emit)
    }

    /// Says how many lines were kept back, if any; for when no further line comes to say it.
    mutating func reportSuppressed(emit: (String) -> Void) {
        guard suppressed > 0 else { return }
        emit("(lines suppressed: \(suppressed), beyond \(Int(Self.linesPerSecond)) a second)")
        suppressed = 0
    }

    private mutating func append(_ bytes: some Collection<UInt8>) {
        let kept = bytes.prefix(Self.longestLine - line.count)
        line.append(contentsOf: kept)
        cut += bytes.count - kept.count
    }

    private mutating func finishLine(now: Double, emit: (String) -> Void) {
        defer {
            line.removeAll(keepingCapacity: true)
            cut = 0
        }
        if cut == 0, line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard !line.isEmpty else { return }
        guard takeToken(now: now) else {
            suppressed += 1
            return
        }
        reportSuppressed(emit: emit)
        let text = PrintableText.escape(line)
        emit(cut == 0 ? text : "\(text) (\(cut) more bytes cut)")
    }

    private mutating func takeToken(now: Double) -> Bool {
        if let lastRefill {
            tokens = min(Self.burst, tokens + max(0, now - lastRefill) * Self.linesPerSecond)
        }
        lastRefill = now
        guard tokens >= (suppressed > 0 ? Self.linesPerSecond : 1) else { return false }
        tokens -= 1
        return true
    }
}
