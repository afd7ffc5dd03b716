/// Hides values in text that quotes arguments without being JSON itself, as error messages do.
///
/// Best effort, by shape: a sensitive name in quotes followed by `:` or `=`, or a bare one followed by `=`, hides the
/// value behind it: a quoted one up to its closing quote, an object or array up to its end, anything else up to the
/// next delimiter; where the end is missing, all the rest. Quotes may be `"` or `'`, also behind backslashes.
enum QuotedSecrets {
    /// `text` with such values hidden; nil when there are none.
    static func hide(_ text: UnsafeBufferPointer<UInt8>, names: SensitiveNames) -> [UInt8]? {
        var out: [UInt8]?
        var copied = 0
        var at = 0
        while at < text.count {
            guard let value = sensitiveValue(text, &at, names) else { continue }
            out = out ?? []
            out?.append(contentsOf: text[copied..<value.lowerBound])
            SensitiveNames.mask.withUTF8Buffer { out?.append(contentsOf: $0) }
            copied = value.upperBound
            at = value.upperBound
        }
        out?.append(contentsOf: text[copied...])
        return out
    }

    /// Looks at what begins at `at`, advances it past the name, and returns the value's range if it must be hidden.
    private static func sensitiveValue(
        _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int, _ names: SensitiveNames
    ) -> Range<Int>? {
        let quote = text[at]
        if isQuote(quote) {
            // This quote may have closed something: then its partner opens the next name.
            guard let close = nameEnd(text, at + 1, quote) else {
                at += 1
                return nil
            }
            var end = close
            while end > at + 1, text[end - 1] == UInt8(ascii: "\\") { end -= 1 }
            let raw = UnsafeBufferPointer(rebasing: text[at + 1..<end])
            at = close + 1
            skipSpace(text, &at)
            at += 1
            guard JSONString.unescaped(raw).withUnsafeBufferPointer({ names.match($0) }) else { return nil }
            return value(text, at)
        }
        guard isNameByte(quote) else {
            at += 1
            return nil
        }
        let start = at
        while at < text.count, isNameByte(text[at]) { at += 1 }
        let name = UnsafeBufferPointer(rebasing: text[start..<at])
        guard at < text.count, text[at] == UInt8(ascii: "="), names.match(name) else { return nil }
        return value(text, at + 1)
    }

    private static func value(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Range<Int> {
        var at = start
        skipSpace(text, &at)
        let from = at
        var escapes = 0
        while at < text.count, text[at] == UInt8(ascii: "\\") {
            escapes += 1
            at += 1
        }
        guard at < text.count else { return from..<text.count }
        let first = text[at]
        if isQuote(first) {
            guard let close = closingQuote(text, at + 1, first, escapes: escapes) else { return from..<text.count }
            return from..<close + 1
        }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            return from..<containerEnd(text, at)
        }
        while at < text.count, !isDelimiter(text[at]) { at += 1 }
        return from..<at
    }

    /// The quote that ends a name: what follows it says so, also where it has a backslash. Names are at most 256 bytes
    /// here, or a text of nothing but quotes would take quadratic time.
    private static func nameEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ quote: UInt8) -> Int? {
        var backslashes = 0
        for at in start..<min(text.count, start + 256) {
            if text[at] == UInt8(ascii: "\\") {
                backslashes += 1
                continue
            }
            if text[at] == quote {
                var next = at + 1
                skipSpace(text, &next)
                if next < text.count, text[next] == UInt8(ascii: ":") || text[next] == UInt8(ascii: "=") { return at }
                if backslashes % 2 == 0 { return nil }
            }
            backslashes = 0
        }
        return nil
    }

    /// The quote that closes a value whose opening one stands behind `escapes` backslashes: it has no more of them
    /// itself, and a quote inside the value has.
    private static func closingQuote(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ quote: UInt8, escapes: Int
    ) -> Int? {
        var backslashes = 0
        for at in start..<text.count {
            if text[at] == UInt8(ascii: "\\") {
                backslashes += 1
                continue
            }
            if text[at] == quote, escapes == 0 ? backslashes % 2 == 0 : backslashes <= escapes { return at }
            backslashes = 0
        }
        return nil
    }

    private static func containerEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var depth = 0
        var at = start
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return at + 1 }
            default: break
            }
            at += 1
        }
        return text.count
    }

    private static func skipSpace(_ text: UnsafeBufferPointer<UInt8>, _ at: inout Int) {
        while at < text.count, text[at] == 0x20 || text[at] == 0x09 { at += 1 }
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), 0x80...:
            true
        default: false
        }
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x0A, 0x0D, 0x20, UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: ")"),
            UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "\""), UInt8(ascii: "'"):
            true
        default: false
        }
    }
}
