internal import JSONRPCWire
internal import NIOCore

/// Goes through one response and sanitises the strings that are meant for a reader.
struct ResponsePass {
    private let scan: QuickScan
    private var sanitizer: TextSanitizer
    private var edits = Edits()

    init(_ stages: SanitizerStages) {
        scan = QuickScan(stages)
        sanitizer = TextSanitizer(stages)
    }

    mutating func run(_ response: Message) -> SanitizedResponse? {
        let buffer = response.bytes
        let bytes = buffer.readableBytesSpan
        let scan = response.scan
        switch scan.kind {
        // Members come in any order, but edits are made in that of the bytes.
        case .result where scan[.resultContent].lower < scan[.resultStructuredContent].lower:
            blocks(scan[.resultContent], of: bytes)
            value(scan[.resultStructuredContent], of: bytes)
        case .result:
            value(scan[.resultStructuredContent], of: bytes)
            blocks(scan[.resultContent], of: bytes)
        case .error where scan[.errorMessage].lower < scan[.errorData].lower:
            value(scan[.errorMessage], of: bytes)
            value(scan[.errorData], of: bytes)
        case .error:
            value(scan[.errorData], of: bytes)
            value(scan[.errorMessage], of: bytes)
        case .request, .notification: break
        }
        guard !edits.isEmpty else { return nil }
        return SanitizedResponse(bytes: rewritten(buffer), removed: sanitizer.removed)
    }

    /// A task of the modern era's extension: the tool's result, or the error that came instead, stands in the task.
    mutating func runTask(_ message: Message) -> SanitizedResponse? {
        let task = message.scan.kind == .notification ? message.scan[.params] : message.scan[.result]
        guard message.scan.kind != .error else { return run(message) }
        let buffer = message.bytes
        let bytes = buffer.readableBytesSpan
        guard task.isPresent, bytes.byteOrZero(Int(task.lower)) == UInt8(ascii: "{") else { return nil }
        self.task(at: Int(task.lower), of: bytes)
        guard !edits.isEmpty else { return nil }
        return SanitizedResponse(bytes: rewritten(buffer), removed: sanitizer.removed)
    }

    private mutating func task(at start: Int, of bytes: RawSpan) {
        _ = JSONWalk.forEachMember(ofObjectAt: start, of: bytes) { name, value in
            switch MemberName(bytes.extracting(name.start..<name.end)) {
            case .result where bytes.byteOrZero(value) == UInt8(ascii: "{"): return toolResult(at: value, of: bytes)
            case .error: return strings(at: value, of: bytes)
            default: return JSONWalk.skipValue(bytes, at: value)
            }
        }
    }

    /// A tool's result inside of something else, where no range of the scan shows its parts.
    private mutating func toolResult(at start: Int, of bytes: RawSpan) -> Int {
        JSONWalk.forEachMember(ofObjectAt: start, of: bytes) { name, value in
            switch MemberName(bytes.extracting(name.start..<name.end)) {
            case .content:
                let end = JSONWalk.skipValue(bytes, at: value)
                blocks(ByteRange(value, end), of: bytes)
                return end
            case .structuredContent: return strings(at: value, of: bytes)
            default: return JSONWalk.skipValue(bytes, at: value)
            }
        }
    }

    private func rewritten(_ bytes: ByteBuffer) -> ByteBuffer {
        var output = ByteBuffer()
        output.reserveCapacity(bytes.readableBytes + edits.growth)
        let view = bytes.readableBytesView
        var done = view.startIndex
        edits.forEach { range, replacement in
            output.writeBytes(view[done..<bytes.readerIndex + Int(range.lower)])
            replacement.withUnsafeBytes { _ = output.writeBytes($0) }
            done = bytes.readerIndex + Int(range.upper)
        }
        output.writeBytes(view[done...])
        return output
    }

    /// All strings of a value.
    private mutating func value(_ range: ByteRange, of bytes: RawSpan) {
        guard range.isPresent else { return }
        strings(at: Int(range.lower), of: bytes)
    }

    /// All strings of the value at `start`; returns the offset behind it.
    @discardableResult
    private mutating func strings(at start: Int, of bytes: RawSpan) -> Int {
        let scan = scan
        return JSONWalk.forEachSuspect(
            inValueAt: start, of: bytes, maxDepth: OutputSanitizer.maxDepth, scan
        ) { place in
            guard let replacement = sanitizer.sanitize(bytes.extracting(place.start..<place.end)) else { return }
            edits.append(place, replacement)
        }
    }
}

extension ResponsePass {
    /// The blocks of `content`; anything but an array of objects is no content that a client shows.
    private mutating func blocks(_ content: ByteRange, of bytes: RawSpan) {
        guard content.isPresent, bytes.byteOrZero(Int(content.lower)) == UInt8(ascii: "[") else { return }
        var offset = JSONWalk.skipWhitespace(bytes, from: Int(content.lower) + 1)
        while offset < Int(content.upper) - 1 {
            offset =
                bytes.byteOrZero(offset) == UInt8(ascii: "{")
                ? block(at: offset, of: bytes) : JSONWalk.skipValue(bytes, at: offset)
            offset = JSONWalk.skipWhitespace(bytes, from: offset)
            if bytes.byteOrZero(offset) == UInt8(ascii: ",") {
                offset = JSONWalk.skipWhitespace(bytes, from: offset + 1)
            }
        }
    }

    private mutating func block(at start: Int, of bytes: RawSpan) -> Int {
        // Decided at the first member that asks for it.
        var isLink: Bool?
        return JSONWalk.forEachMember(ofObjectAt: start, of: bytes) { name, value in
            let isString = bytes.byteOrZero(value) == UInt8(ascii: "\"")
            switch MemberName(bytes.extracting(name.start..<name.end)) {
            case .text where isString: return strings(at: value, of: bytes)
            case .resource where bytes.byteOrZero(value) == UInt8(ascii: "{"): return resource(at: value, of: bytes)
            case .title where isString, .description where isString:
                let isKnownLink = isLink ?? Self.isLink(bytes, at: start)
                isLink = isKnownLink
                return isKnownLink ? strings(at: value, of: bytes) : JSONWalk.skipValue(bytes, at: value)
            default: return JSONWalk.skipValue(bytes, at: value)
            }
        }
    }

    /// A resource that was put into a block.
    private mutating func resource(at start: Int, of bytes: RawSpan) -> Int {
        JSONWalk.forEachMember(ofObjectAt: start, of: bytes) { name, value in
            guard case .text = MemberName(bytes.extracting(name.start..<name.end)),
                bytes.byteOrZero(value) == UInt8(ascii: "\"")
            else { return JSONWalk.skipValue(bytes, at: value) }
            return strings(at: value, of: bytes)
        }
    }

    /// Whether a block says of itself that it is a resource link.
    private static func isLink(_ bytes: RawSpan, at start: Int) -> Bool {
        var isLink = false
        _ = JSONWalk.forEachMember(ofObjectAt: start, of: bytes) { name, value in
            let end = JSONWalk.skipValue(bytes, at: value)
            if case .type = MemberName(bytes.extracting(name.start..<name.end)),
                bytes.byteOrZero(value) == UInt8(ascii: "\""),
                MemberName.folds(bytes.extracting(value + 1..<end - 1), to: "resource_link")
            {
                isLink = true
            }
            return end
        }
        return isLink
    }
}
