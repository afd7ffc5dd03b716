#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif
public import NIOCore

/// Cuts a stream of bytes into lines, whatever pieces they arrive in.
///
/// A pure value that belongs to one reader. Feed it with ``append(_:)``, then call ``next()`` until it returns `nil`.
/// Each byte is looked at once, and copied only when its line arrives in several chunks. What it holds is bounded by
/// the cap plus one chunk, as long as all frames are taken before the next chunk is appended.
public struct LineFramer {
    /// What the stream held.
    public enum Frame: Sendable {
        /// A line with something else in it than whitespace, without its newline (a carriage return stays), never
        /// longer than the cap.
        case line(ByteBuffer)
        /// The first bytes, at most ``LineFramer/headByteCount``, of a line longer than the cap: handed out once, as
        /// soon as the cap is passed. The rest of that line is skipped.
        case oversize(head: ByteBuffer)
    }

    /// How much of an oversize line is handed out.
    public static let headByteCount = 4096

    /// The cap. A new one counts from the line that is being received.
    public var maxMessageBytes: Int
    /// The beginning of a line whose newline has not arrived; holds no newline.
    private var partial = ByteBuffer()
    /// What has been received and not been looked at.
    private var chunk = ByteBuffer()
    /// Whether the bytes up to the next newline belong to a line that was reported as oversize.
    private var isSkipping = false

    /// Makes a framer that takes lines of up to `maxMessageBytes`, not counting the newline.
    public init(maxMessageBytes: Int) {
        precondition(maxMessageBytes > 0, "max_message_bytes must be at least 1, not \(maxMessageBytes)")
        self.maxMessageBytes = maxMessageBytes
    }

    /// Takes over a chunk of the stream, without a copy if all frames of the one before were taken.
    public mutating func append(_ chunk: ByteBuffer) {
        if self.chunk.readableBytes == 0 {
            self.chunk = chunk
        } else {
            self.chunk.writeImmutableBuffer(chunk)
        }
    }

    /// The next frame, or `nil` when another chunk is needed.
    public mutating func next() -> Frame? {
        while chunk.readableBytes > 0 {
            guard let length = Self.newline(in: chunk) else { return keepRest() }
            // Both are in the chunk, hence the reads cannot fail; a skipped byte is the newline.
            guard let ending = chunk.readSlice(length: length) else { break }
            chunk.moveReaderIndex(forwardBy: 1)
            if let frame = finishLine(with: ending) { return frame }
        }
        // Not to keep the memory of what has been handed out.
        chunk = ByteBuffer()
        return nil
    }

    /// At the end of the stream: the frames that are left, the unterminated last line among them. Call it until it
    /// returns `nil`.
    public mutating func finish() -> Frame? {
        if let frame = next() { return frame }
        return finishLine(with: ByteBuffer())
    }

    /// How many received bytes have not been handed out.
    public var bufferedBytes: Int { partial.readableBytes + chunk.readableBytes }

    /// Completes the line that ends with `ending`; `nil` when there is nothing to hand out.
    private mutating func finishLine(with ending: ByteBuffer) -> Frame? {
        if isSkipping {
            isSkipping = false
            return nil
        }
        guard partial.readableBytes + ending.readableBytes <= maxMessageBytes else {
            return oversize(with: ending)
        }
        var line = ending
        if partial.readableBytes > 0 {
            partial.writeImmutableBuffer(ending)
            line = partial
            partial = ByteBuffer()
        }
        return Self.isBlank(line) ? nil : .line(line)
    }

    /// Puts a chunk without a newline aside.
    private mutating func keepRest() -> Frame? {
        let rest = chunk
        chunk = ByteBuffer()
        if isSkipping { return nil }
        guard partial.readableBytes + rest.readableBytes <= maxMessageBytes else {
            isSkipping = true
            return oversize(with: rest)
        }
        partial.writeImmutableBuffer(rest)
        return nil
    }

    private mutating func oversize(with rest: ByteBuffer) -> Frame {
        var head = ByteBuffer()
        for source in [partial, rest] {
            var part = source
            let length = min(part.readableBytes, Self.headByteCount - head.readableBytes)
            if let bytes = part.readSlice(length: length) { head.writeImmutableBuffer(bytes) }
        }
        partial = ByteBuffer()
        return .oversize(head: head)
    }

    @inline(__always)
    private static func newline(in buffer: ByteBuffer) -> Int? {
        buffer.withUnsafeReadableBytes { bytes in
            // `memchr` looks at `bytes.count` bytes from its base only, and what it finds is one of them.
            guard let base = bytes.baseAddress, let found = memchr(base, 0x0A, bytes.count) else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    @inline(__always)
    private static func isBlank(_ line: ByteBuffer) -> Bool {
        let bytes = line.readableBytesSpan
        return JSONSyntax.skipWhitespace(bytes, from: 0) == bytes.byteCount
    }
}
