/// Rewrites one JSON text without the values of sensitive members: one line, separators `", "` and `": "`, numbers
/// exactly as they were, strings with ``JSONText``'s escapes. One pass without recursion, so that no nesting can
/// exhaust the stack.
///
/// Strings that themselves hold a JSON object or array are rewritten inside. One that only looks like it falls back to
/// ``QuotedSecrets``, and one nested too deeply is hidden whole.
struct JSONRewriter {
    /// How a rewrite ended.
    enum End {
        /// All of the text is in the output.
        case complete
        /// The output reached its limit: what is there is a redacted beginning.
        case cut
        /// The input is no JSON; the output is worthless.
        case invalid
    }

    /// JSON in a string in JSON …: how many levels are looked into.
    private static let deepestEmbedding = 8
    /// Far above `max_depth`, which bounds what arrives; this one bounds the texts inside strings.
    private static let deepestNesting = 4096

    /// Whether at least one value was hidden.
    private(set) var hidAny = false

    private let input: UnsafeBufferPointer<UInt8>
    private let names: SensitiveNames
    private let out: LineBuffer
    private let end: Int
    private let level: Int
    private let bareNames: Bool
    private var at = 0
    /// The open containers, outermost first; true for an object.
    private var open: [Bool] = []
    /// How many containers were open where the hidden value began; nil while values are shown.
    private var hiddenDepth: Int?

    /// Prepares a rewrite that appends at most about `limit` bytes to `out`. `level` counts how many strings the text
    /// is wrapped in; text inside strings is read leniently, because its reader may be lenient.
    /// With `bareNames`, names that are identifiers stand without quotes; inside strings all keep theirs.
    init(
        _ input: UnsafeBufferPointer<UInt8>, names: SensitiveNames, into out: LineBuffer, limit: Int, level: Int = 0,
        bareNames: Bool = false
    ) {
        self.input = input
        self.names = names
        self.out = out
        end = limit > Int.max - out.count ? Int.max : out.count + limit
        self.level = level
        self.bareNames = bareNames
    }

    /// Does it, once.
    mutating func run() -> End {
        while true {
            skipSpace()
            guard at < input.count else { return .invalid }
            switch input[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = input[at] == UInt8(ascii: "{")
                guard open.count < Self.deepestNesting else { return .invalid }
                open.append(isObject)
                show(input[at])
                at += 1
                skipSpace()
                if at < input.count, input[at] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) { break }
                if isObject, !memberName() { return .invalid }
                continue
            case UInt8(ascii: "\""):
                if !string() { return .invalid }
            default:
                if !token() { return .invalid }
            }
            // A value has ended, or an empty container is about to.
            while true {
                if open.count == hiddenDepth { hiddenDepth = nil }
                if out.count > end { return .cut }
                skipSpace()
                guard let inObject = open.last else { return at == input.count ? .complete : .invalid }
                guard at < input.count else { return .invalid }
                if input[at] == UInt8(ascii: ",") {
                    at += 1
                    if hiddenDepth == nil { out.append(", ") }
                    if inObject, !memberName() { return .invalid }
                    break
                }
                guard input[at] == (inObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return .invalid }
                open.removeLast()
                show(input[at])
                at += 1
            }
        }
    }

    private mutating func memberName() -> Bool {
        skipSpace()
        guard at < input.count, input[at] == UInt8(ascii: "\""), let (stop, escaped) = JSONString.end(input, quote: at)
        else { return false }
        let raw = UnsafeBufferPointer(rebasing: input[at + 1..<stop])
        at = stop + 1
        skipSpace()
        guard at < input.count, input[at] == UInt8(ascii: ":") else { return false }
        at += 1
        if hiddenDepth != nil { return true }
        if escaped {
            JSONString.unescaped(raw).withUnsafeBufferPointer { show(name: $0) }
        } else {
            show(name: raw)
        }
        return true
    }

    private mutating func show(name: UnsafeBufferPointer<UInt8>) {
        if bareNames, Self.isIdentifier(name) { out.append(name) } else { showText(name) }
        out.append(": ")
        guard names.match(name) else { return }
        out.append(UInt8(ascii: "\""))
        out.append(SensitiveNames.mask)
        out.append(UInt8(ascii: "\""))
        hiddenDepth = open.count
        hidAny = true
    }

    private mutating func string() -> Bool {
        guard let (stop, escaped) = JSONString.end(input, quote: at) else { return false }
        let raw = UnsafeBufferPointer(rebasing: input[at + 1..<stop])
        at = stop + 1
        if hiddenDepth != nil { return true }
        if escaped {
            JSONString.unescaped(raw).withUnsafeBufferPointer { stringValue($0) }
        } else {
            stringValue(raw)
        }
        return true
    }

    private mutating func stringValue(_ text: UnsafeBufferPointer<UInt8>) {
        guard let first = text.first(where: { !Self.isSpace($0) }),
            first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        else { return showText(text) }
        guard level < Self.deepestEmbedding else {
            hidAny = true
            out.append(UInt8(ascii: "\""))
            out.append(SensitiveNames.mask)
            return out.append(UInt8(ascii: "\""))
        }
        let inner = LineBuffer()
        let left = end == Int.max ? Int.max : max(0, end - out.count)
        var rewriter = JSONRewriter(text, names: names, into: inner, limit: left, level: level + 1)
        switch rewriter.run() {
        case .complete where !rewriter.hidAny: showText(text)
        case .complete, .cut:
            hidAny = hidAny || rewriter.hidAny
            showText(inner.bytes)
        case .invalid:
            // What is far behind the limit is not searched. A mask is no longer than a fourth of what is left then.
            let near = UnsafeBufferPointer(rebasing: text.prefix(left > text.count ? text.count : left * 4 + 1024))
            guard let hidden = QuotedSecrets.hide(near, names: names) else { return showText(near) }
            hidAny = true
            hidden.withUnsafeBufferPointer { showText($0) }
        }
    }

    /// A number or a literal. At the outermost level it has to be JSON; inside strings also what lenient readers take.
    private mutating func token() -> Bool {
        let start = at
        while at < input.count, Self.isTokenByte(input[at]) { at += 1 }
        let text = UnsafeBufferPointer(rebasing: input[start..<at])
        guard !text.isEmpty, level > 0 || JSONToken.isValid(text) else { return false }
        if hiddenDepth == nil { out.append(text) }
        return true
    }

    private func showText(_ text: UnsafeBufferPointer<UInt8>) {
        out.append(UInt8(ascii: "\""))
        if let stripped = ConfirmationToken.strip(text) {
            stripped.withUnsafeBufferPointer { JSONText.appendContent(upToEnd($0), to: out) }
        } else {
            JSONText.appendContent(upToEnd(text), to: out)
        }
        out.append(UInt8(ascii: "\""))
    }

    /// What is behind the limit will be cut anyway: a huge string is not copied for it.
    private func upToEnd(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        guard end != Int.max, out.count + text.count > end + 8 else { return text }
        return UnsafeBufferPointer(rebasing: text.prefix(max(0, end - out.count) + 8))
    }

    private func show(_ byte: UInt8) {
        if hiddenDepth == nil { out.append(byte) }
    }

    private mutating func skipSpace() {
        while at < input.count, Self.isSpace(input[at]) { at += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// Identifiers are shorter than the output's limit may be; longer ones keep their quotes and are cut.
    private static func isIdentifier(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = text.first, first < 0x30 || first > 0x39, text.count <= PrintedLimit.text else {
            return false
        }
        return text.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }
}

/// The values of RFC 8259 that have no delimiters.
enum JSONToken {
    /// Whether `text` is `true`, `false`, `null` or a number.
    static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch text.first {
        case UInt8(ascii: "t"): text.elementsEqual("true".utf8)
        case UInt8(ascii: "f"): text.elementsEqual("false".utf8)
        case UInt8(ascii: "n"): text.elementsEqual("null".utf8)
        default: isNumber(text)
        }
    }

    private static func isNumber(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var at = 0
        func digits() -> Int {
            let start = at
            while at < text.count, text[at] >= 0x30, text[at] <= 0x39 { at += 1 }
            return at - start
        }
        if text.first == UInt8(ascii: "-") { at = 1 }
        let startsWithZero = at < text.count && text[at] == 0x30
        let whole = digits()
        guard whole > 0, !(startsWithZero && whole > 1) else { return false }
        if at < text.count, text[at] == UInt8(ascii: ".") {
            at += 1
            guard digits() > 0 else { return false }
        }
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
            guard digits() > 0 else { return false }
        }
        return at == text.count
    }
}
