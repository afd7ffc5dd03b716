internal import JSONRPCWire
internal import NIOCore

/// Goes through one response and sanitises the strings that are meant for a reader.
struct ResponsePass {
    private let scan: QuickScan
    private var sanitizer: TextSanitizer
    private var edits: [Edit] = []

    init(_ stages: SanitizerStages) {
        scan = QuickScan(stages)
        sanitizer = TextSanitizer(stages)
    }

    /// How many bytes the stages were given to read.
    var bytesRead: Int { sanitizer.bytesRead }

    mutating func run(_ response: Message) -> SanitizedResponse? {
        let buffer = response.bytes
        let bytes = buffer.readableBytesSpan
        switch response.scan.kind {
        case .result:
            blocks(response.scan[.resultContent], of: bytes)
            value(response.scan[.resultStructuredContent], of: bytes)
        case .error:
            value(response.scan[.errorMessage], of: bytes)
            value(response.scan[.errorData], of: bytes)
        case .request, .notification: break
        }
        guard !edits.isEmpty else { return nil }
        return SanitizedResponse(bytes: rewritten(buffer), removed: sanitizer.removed)
    }

    private mutating func rewritten(_ bytes: ByteBuffer) -> ByteBuffer {
        // Members come in any order, and a link's title and description are looked at last.
        edits.sort { $0.start < $1.start }
        var output = ByteBuffer()
        output.reserveCapacity(edits.reduce(bytes.readableBytes) { $0 + $1.replacement.count - ($1.end - $1.start) })
        let view = bytes.readableBytesView
        var done = view.startIndex
        for edit in edits {
            output.writeBytes(view[done..<bytes.readerIndex + edit.start])
            output.writeBytes(edit.replacement)
            done = bytes.readerIndex + edit.end
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
            edits.append(Edit(start: place.start, end: place.end, replacement: replacement))
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
        var isLink = false
        var hasTitle = false
        let end = JSONWalk.forEachMember(ofObjectAt: start, of: bytes) { name, value in
            let first = bytes.byteOrZero(value)
            switch MemberName(bytes.extracting(name.start..<name.end)) {
            case .text where first == UInt8(ascii: "\""): return strings(at: value, of: bytes)
            case .resource where first == UInt8(ascii: "{"): return resource(at: value, of: bytes)
            case .type: isLink = isLink || Self.isLinkType(bytes, at: value)
            case .title, .description: hasTitle = true
            case .text, .resource, .other: break
            }
            return JSONWalk.skipValue(bytes, at: value)
        }
        if isLink, hasTitle { link(at: start, of: bytes) }
        return end
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

    /// Title and description of a block that has turned out to be a resource link.
    private mutating func link(at start: Int, of bytes: RawSpan) {
        _ = JSONWalk.forEachMember(ofObjectAt: start, of: bytes) { name, value in
            switch MemberName(bytes.extracting(name.start..<name.end)) {
            case .title where bytes.byteOrZero(value) == UInt8(ascii: "\""),
                .description where bytes.byteOrZero(value) == UInt8(ascii: "\""):
                return strings(at: value, of: bytes)
            default: return JSONWalk.skipValue(bytes, at: value)
            }
        }
    }

    private static func isLinkType(_ bytes: RawSpan, at value: Int) -> Bool {
        guard bytes.byteOrZero(value) == UInt8(ascii: "\"") else { return false }
        let content = bytes.extracting(value + 1..<QuickScan.endOfString(bytes, from: value + 1))
        return MemberName.folds(content, to: "resource_link")
    }
}
