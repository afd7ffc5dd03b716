/// Sanitises one text after the other and counts what was taken out.
struct TextSanitizer {
    /// What has been taken out of all texts so far.
    private(set) var removed = RemovalCounts()
    /// How many bytes were read, all rounds and levels together: a measure of work for tests.
    private(set) var bytesRead = 0

    private let stages: SanitizerStages
    private let scan: QuickScan

    /// How often the stages are repeated before a text that still changes is brought to an end.
    static let maxRounds = 8
    /// Up to how many strings may stand in each other and still be taken as JSON. An escape of an escape makes a text
    /// but a little longer, so that without a limit a message could ask for thousands of passes over most of it.
    static let maxTextLevels = 8

    init(_ stages: SanitizerStages) {
        self.stages = stages
        scan = QuickScan(stages)
    }

    /// Sanitises the content of a JSON string: as JSON, value by value, if it is an object or array, else as text.
    ///
    /// - Parameter level: how many strings it stands in, itself included.
    /// - Returns: the new content, in JSON's spelling, or `nil` when nothing changes.
    mutating func sanitize(_ text: RawSpan, level: Int = 1) -> [UInt8]? {
        let mayBeJSON = level <= Self.maxTextLevels
        if mayBeJSON, case .json(let changed) = sanitizeJSON(text, level) { return changed }
        guard let plain = sanitizePlain(text) else { return nil }
        // What is left may have become JSON, with escapes in it that hide what the stages have not seen.
        if mayBeJSON, case .json(let changed?) = sanitizeJSON(plain.span.bytes, level) { return changed }
        return plain
    }
}

extension TextSanitizer {
    private enum AsJSON {
        /// The text is none.
        case noJSON
        /// It is, and has this new spelling where a string in it changed.
        case json([UInt8]?)
    }

    private mutating func sanitizeJSON(_ text: RawSpan, _ level: Int) -> AsJSON {
        guard EmbeddedJSON.isLikely(text, from: 0) else { return .noJSON }
        let inner = EmbeddedJSON.unescaped(text)
        // Unescaped, checked, walked.
        bytesRead &+= text.byteCount &+ 2 &* inner.count
        guard JSONCheck.isContainer(inner.span.bytes) else { return .noJSON }
        let bytes = inner.span.bytes
        var edits = Edits()
        let scan = scan
        _ = JSONWalk.forEachSuspect(
            inValueAt: JSONWalk.skipWhitespace(bytes, from: 0), of: bytes, maxDepth: .max, scan
        ) { place in
            guard let replacement = sanitize(bytes.extracting(place.start..<place.end), level: level + 1) else {
                return
            }
            edits.append(place, replacement)
        }
        guard !edits.isEmpty else { return .json(nil) }
        bytesRead &+= text.byteCount
        return .json(EmbeddedJSON.applying(edits, toTextSpelled: text))
    }

    private mutating func sanitizePlain(_ text: RawSpan) -> [UInt8]? {
        guard let mended = Surrogates.mended(text) else { return repeatStages(text) }
        bytesRead &+= text.byteCount
        return repeatStages(mended.span.bytes)
    }

    private mutating func repeatStages(_ text: RawSpan) -> [UInt8]? {
        guard var current = runStages(text) else { return nil }
        for _ in 1..<Self.maxRounds {
            guard let next = runStages(current.span.bytes) else { return current }
            current = next
        }
        var rest: [UInt8]?
        removed.markup &+= run(LastResort.removeAngles, on: &rest, of: current.span.bytes)
        removed.markup &+= run(LastResort.removeBrackets, on: &rest, of: current.span.bytes)
        if stages.contains(.codeFences) {
            removed.codeFences &+= run(CodeFenceStage.run, on: &rest, of: current.span.bytes)
        }
        return rest ?? current
    }

    /// One round; `nil` when it changes nothing.
    private mutating func runStages(_ text: RawSpan) -> [UInt8]? {
        var current: [UInt8]?
        if stages.contains(.invisible) { removed.invisible &+= run(InvisibleStage.run, on: &current, of: text) }
        if stages.contains(.markup) {
            removed.markup &+= run(HTMLStage.run, on: &current, of: text)
            removed.markup &+= run(MarkdownStage.runImages, on: &current, of: text)
            removed.markup &+= run(MarkdownStage.runLinks, on: &current, of: text)
        }
        if stages.contains(.codeFences) { removed.codeFences &+= run(CodeFenceStage.run, on: &current, of: text) }
        return current
    }

    private typealias Stage = (RawSpan, inout Rewriter) -> Int

    /// Gives a stage what the ones before have left of `text`, which is `text` itself while `current` is `nil`.
    private mutating func run(_ stage: Stage, on current: inout [UInt8]?, of text: RawSpan) -> Int {
        var rewriter = Rewriter()
        let count: Int
        let next: [UInt8]?
        if let current {
            count = stage(current.span.bytes, &rewriter)
            bytesRead &+= rewriter.bytesRead
            next = rewriter.finish(current.span.bytes)
        } else {
            count = stage(text, &rewriter)
            bytesRead &+= rewriter.bytesRead
            next = rewriter.finish(text)
        }
        if let next { current = next }
        return count
    }
}
