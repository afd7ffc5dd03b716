internal import JSONRPCWire
internal import NIOCore

/// Turns received bytes into scanned messages, in order. Long lines are scanned on a worker; what follows one waits,
/// unless the line is visibly an answer, which nothing behind it depends on.
struct LineReader {
    /// What the owner has to do next.
    enum Step {
        /// One message.
        case message(Message)
        /// A line that is no single message, scanned.
        case other(ScanOutcome, ByteBuffer)
        /// A line that has to be scanned elsewhere. When `isOutOfBand`, reading goes on meanwhile.
        case scanElsewhere(ByteBuffer, isOutOfBand: Bool)
        /// A line beyond the cap, of which only the head is known.
        case oversize(Peek, ByteBuffer)
    }

    private var framer: LineFramer
    private var scanner: MessageScanner
    private let letsAnswersPass: Bool
    private var hasEnded = false
    /// A line is being scanned elsewhere and what follows has to wait.
    private(set) var isWaiting = false

    /// Lines longer than this are scanned on a worker: scanning runs at about a gigabyte a second, and nothing may hold
    /// the loop for a millisecond.
    static let inlineLimit = 256 * 1024

    init(maxMessageBytes: Int, maxDepth: Int, letsAnswersPass: Bool) {
        framer = LineFramer(maxMessageBytes: maxMessageBytes)
        scanner = MessageScanner(maxDepth: maxDepth)
        self.letsAnswersPass = letsAnswersPass
    }

    /// A reload changed the caps.
    mutating func adopt(maxMessageBytes: Int, maxDepth: Int) {
        framer.maxMessageBytes = maxMessageBytes
        scanner = MessageScanner(maxDepth: maxDepth)
    }

    mutating func append(_ bytes: ByteBuffer) {
        framer.append(bytes)
    }

    /// No more bytes will come: an unterminated last line counts as a line.
    mutating func end() {
        hasEnded = true
    }

    /// Whether everything received has been handed out, after ``end()``.
    private(set) var isDrained = false

    /// The next step, or nil until more bytes come or a scan elsewhere is done.
    mutating func next() -> Step? {
        guard !isWaiting else { return nil }
        guard let frame = framer.next() ?? (hasEnded ? framer.finish() : nil) else {
            isDrained = hasEnded
            return nil
        }
        switch frame {
        case .oversize(let head):
            return .oversize(scanner.peek(head), head)
        case .line(let line):
            guard line.readableBytes > Self.inlineLimit else {
                let outcome = scanner.scan(line)
                guard case .message(let scan) = outcome else { return .other(outcome, line) }
                return .message(Message(bytes: line, scan: scan))
            }
            let isOutOfBand = letsAnswersPass && isAnswer(line)
            isWaiting = !isOutOfBand
            return .scanElsewhere(line, isOutOfBand: isOutOfBand)
        }
    }

    /// Whether ``next()`` may have something to hand out.
    var hasMore: Bool { !isWaiting && !isDrained && (hasEnded || framer.bufferedBytes > 0) }

    /// The scan that ``Step/scanElsewhere(_:isOutOfBand:)`` asked for is done.
    mutating func resume() {
        isWaiting = false
    }

    private func isAnswer(_ line: ByteBuffer) -> Bool {
        // The line is longer than the head, so the slice is always there.
        guard let head = line.getSlice(at: line.readerIndex, length: min(4096, line.readableBytes)) else {
            return false
        }
        let peek = scanner.peek(head)
        return peek.isResponse && !peek.hasMethod
    }
}
