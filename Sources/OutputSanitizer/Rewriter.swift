/// Writes a text with some of its stretches replaced; allocates and copies nothing as long as nothing is replaced.
struct Rewriter {
    /// How many bytes the stage read, some of them more than once: a measure of work for tests.
    var bytesRead = 0
    private var output: [UInt8] = []
    /// Up to where the source has been copied or replaced.
    private var done = 0
    private var hasChanged = false

    /// Whether anything has been written when the source is at `offset`.
    func hasWritten(at offset: Int) -> Bool {
        !output.isEmpty || offset > done
    }

    /// Puts `replacement`, spelled as in a JSON string, in the place of a stretch behind all those before.
    mutating func replace(_ start: Int, _ end: Int, with replacement: StaticString, in source: RawSpan) {
        remove(start, end, in: source)
        replacement.withUTF8Buffer { output.append(contentsOf: $0) }
    }

    /// As above, with any bytes.
    mutating func replace(_ start: Int, _ end: Int, with replacement: RawSpan, in source: RawSpan) {
        remove(start, end, in: source)
        replacement.withUnsafeBytes { output.append(contentsOf: $0) }
    }

    /// Leaves a stretch out that is behind all those before.
    mutating func remove(_ start: Int, _ end: Int, in source: RawSpan) {
        if !hasChanged {
            output.reserveCapacity(source.byteCount)
            hasChanged = true
        }
        copy(to: start, of: source)
        done = end
    }

    /// The whole text as written, or `nil` when nothing was replaced.
    consuming func finish(_ source: RawSpan) -> [UInt8]? {
        guard hasChanged else { return nil }
        copy(to: source.byteCount, of: source)
        return output
    }

    private mutating func copy(to end: Int, of source: RawSpan) {
        guard end > done else { return }
        source.extracting(done..<end).withUnsafeBytes { output.append(contentsOf: $0) }
    }
}
