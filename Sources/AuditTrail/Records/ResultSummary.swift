import NIOCore

/// What a successful call reads in the tool-call log: how many items, never which.
enum ResultSummary {
    /// Larger results, in bytes, read `ok`: looking into them would hold up the loop.
    static let largestLookedInto = 256 * 1024

    /// Appends `15 items`, `input required`, `confirmation token <nonce>` or `ok`.
    static func append(_ result: ByteBuffer?, to out: LineBuffer) {
        let start = out.count
        result?.withUnsafeReadableBytes { append($0.bindMemory(to: UInt8.self), to: out) }
        if out.count == start { out.append("ok") }
    }

    private static func append(_ result: UnsafeBufferPointer<UInt8>, to out: LineBuffer) {
        guard result.count <= largestLookedInto else { return }
        if let type = JSONMember.value("resultType", in: result), text(type).elementsEqual("input_required".utf8) {
            return out.append("input required")
        }
        let blocks = JSONMember.value("content", in: result).flatMap { JSONList.elements($0) } ?? []
        let texts = blocks.map { block in JSONMember.value("text", in: block).map { text($0) } }
        for text in texts {
            let hasToken: Bool? = text?.withUnsafeBufferPointer { bytes in
                guard let nonce = ConfirmationToken.nonce(in: bytes) else { return false }
                out.append("confirmation token ")
                out.append(nonce)
                return true
            }
            if hasToken == true { return }
        }
        if let count = JSONMember.value("structuredContent", in: result).flatMap({ listCount($0) }) {
            return items(count, to: out)
        }
        if blocks.count == 1, let text = texts[0], let count = text.withUnsafeBufferPointer({ parsedCount($0) }) {
            return items(count, to: out)
        }
        if blocks.count > 1 { items(blocks.count, to: out) }
    }

    private static func items(_ count: Int, to out: LineBuffer) {
        out.append(decimal: count)
        out.append(" items")
    }

    /// The content of a string literal; empty for any other value.
    private static func text(_ value: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        guard let quote = value.firstIndex(where: { !JSONList.isSpace($0) }), value[quote] == UInt8(ascii: "\""),
            let (end, _) = JSONString.end(value, quote: quote)
        else { return [] }
        return JSONString.unescaped(UnsafeBufferPointer(rebasing: value[quote + 1..<end]))
    }

    /// As ``listCount(_:)``, of text that may be no JSON at all.
    private static func parsedCount(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let first = text.first(where: { !JSONList.isSpace($0) }),
            first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
        else { return nil }
        var reader = JSONRewriter(text, names: SensitiveNames(extra: []), into: LineBuffer(), limit: .max)
        guard case .complete = reader.run() else { return nil }
        return listCount(text)
    }

    /// How many elements the valid JSON text has when it is an array, or an object that stands for one: its only
    /// member is an array, or its `result`, `items` or `data` is.
    private static func listCount(_ value: UnsafeBufferPointer<UInt8>) -> Int? {
        if let elements = JSONList.elements(value) { return elements.count }
        if let only = JSONList.onlyMember(value), let elements = JSONList.elements(only) { return elements.count }
        for name in ["result", "items", "data"] as [StaticString] {
            if let member = JSONMember.value(name, in: value), let elements = JSONList.elements(member) {
                return elements.count
            }
        }
        return nil
    }
}

/// Takes valid JSON apart at its outermost level.
enum JSONList {
    /// The elements of an array; nil for any other value.
    static func elements(_ value: UnsafeBufferPointer<UInt8>) -> [UnsafeBufferPointer<UInt8>]? {
        parts(value, open: UInt8(ascii: "["))
    }

    /// The value of an object's only member; nil for any other value.
    static func onlyMember(_ value: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        guard let parts = parts(value, open: UInt8(ascii: "{")), parts.count == 1,
            let quote = parts[0].firstIndex(of: UInt8(ascii: "\"")),
            let (end, _) = JSONString.end(parts[0], quote: quote),
            let colon = parts[0][end...].firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return UnsafeBufferPointer(rebasing: parts[0][(colon + 1)...])
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// What stands between the outermost commas of the container that begins with `open`.
    private static func parts(
        _ value: UnsafeBufferPointer<UInt8>, open: UInt8
    ) -> [UnsafeBufferPointer<UInt8>]? {
        guard var at = value.firstIndex(where: { !isSpace($0) }), value[at] == open else { return nil }
        var parts: [UnsafeBufferPointer<UInt8>] = []
        var depth = 0
        var start = at + 1
        while at < value.count {
            switch value[at] {
            case UInt8(ascii: "\""):
                guard let (end, _) = JSONString.end(value, quote: at) else { return nil }
                at = end
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                guard depth == 0 else { break }
                let last = UnsafeBufferPointer(rebasing: value[start..<at])
                if !parts.isEmpty || last.contains(where: { !isSpace($0) }) { parts.append(last) }
                return parts
            case UInt8(ascii: ",") where depth == 1:
                parts.append(UnsafeBufferPointer(rebasing: value[start..<at]))
                start = at + 1
            default: break
            }
            at += 1
        }
        return nil
    }
}
