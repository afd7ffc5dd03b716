import GatewayConfiguration

/// How cells of format `csv` are written: RFC 4180 with what `csv_config` changes.
///
/// A cell's text has the escapes of ``JSONText/appendFree(_:limit:to:)`` first, so that no cell holds a newline or a
/// control character, then the guard against spreadsheet formulas, then quotes. The configuration refuses quotes and
/// escapes that our own words, numbers and times contain: those need no look.
struct CSVDialect {
    let delimiter: UInt8
    private let quote: UInt8
    private let escape: UInt8?
    private let style: CSVSettings.QuoteStyle
    /// Whether text is quoted whatever it holds.
    private let quotesText: Bool
    /// By byte: whether it may stand in a cell as it is.
    private let isSafe: [Bool]
    private var null: [UInt8]
    private let scratch = LineBuffer()

    init(_ settings: CSVSettings) {
        delimiter = settings.delimiter == .tab ? 0x09 : settings.delimiter.rawValue.utf8.first ?? UInt8(ascii: ",")
        quote = settings.quoteCharacter.utf8.first ?? UInt8(ascii: "\"")
        let escape = settings.escapeCharacter?.utf8.first
        // A quote that escapes itself is doubled: RFC 4180's own way.
        self.escape = escape == quote ? nil : escape
        style = settings.quoteStyle
        quotesText = style == .all || style == .nonnumeric
        var isSafe = [Bool](repeating: false, count: 256)
        for byte in 0x20..<0x7F { isSafe[byte] = true }
        for byte in [delimiter, quote, UInt8(ascii: "\\")] + (escape.map { [$0] } ?? []) { isSafe[Int(byte)] = false }
        self.isSafe = isSafe
        null = []
        let out = LineBuffer()
        JSONText.appendFree(settings.nullValue, limit: PrintedLimit.identity, to: scratch)
        // The operator's own text: `-` is a common one, and no formula.
        cell(scratch.bytes, to: out)
        scratch.truncate(to: 0)
        null = Array(out.bytes)
    }

    /// The most bytes that a text of `limit` bytes takes, with the delimiter behind it.
    func largest(_ limit: Int) -> Int {
        (style == .none && escape == nil ? 6 : 2) * (limit + 1) + 3
    }

    /// Appends what an absent value reads.
    @inline(__always)
    func empty(to out: LineBuffer) {
        if !null.isEmpty { out.append(null) }
    }

    /// Appends our own word, number or time.
    @inline(__always)
    func own(to out: LineBuffer, isNumber: Bool = false, _ content: (LineBuffer) -> Void) {
        let isQuoted = isNumber ? style == .all : quotesText
        if isQuoted { out.append(quote) }
        content(out)
        if isQuoted { out.append(quote) }
    }

    /// Appends our own word.
    @inline(__always)
    func own(_ word: StaticString, to out: LineBuffer) {
        if quotesText { out.append(quote) }
        out.append(word)
        if quotesText { out.append(quote) }
    }

    /// Appends foreign text, or what an absent one reads.
    @inline(__always)
    func text(_ text: String?, limit: Int, to out: LineBuffer) {
        guard let text else { return empty(to: out) }
        let done: Bool? = text.utf8.withContiguousStorageIfAvailable { bytes in
            guard let first = bytes.first, bytes.count < ConfirmationToken.shortest, bytes.count <= limit,
                !Self.beginsFormula(first), bytes.allSatisfy({ isSafe[Int($0)] })
            else { return false }
            if quotesText { out.append(quote) }
            out.append(bytes)
            if quotesText { out.append(quote) }
            return true
        }
        if done == true { return }
        scratch.truncate(to: 0)
        JSONText.appendFree(text, limit: limit, to: scratch)
        printed(scratch, to: out)
    }

    /// Appends what is already free text or JSON. `content` is spoiled.
    func printed(_ content: LineBuffer, to out: LineBuffer) {
        if let first = content.bytes.first, Self.beginsFormula(first) { content.prepend(UInt8(ascii: "'")) }
        cell(content.bytes, to: out)
    }

    private func cell(_ content: UnsafeBufferPointer<UInt8>, to out: LineBuffer) {
        let isQuoted = quotesText || style == .minimal && content.contains { isSpecial($0) }
        if isQuoted { out.append(quote) }
        for byte in content {
            if style == .none ? isSpecial(byte) : byte == quote || byte == escape {
                if let escape {
                    out.append(escape)
                } else if style != .none {
                    out.append(quote)
                } else {
                    out.append(#"\u00"#)
                    out.append(hex: byte)
                    continue
                }
            }
            out.append(byte)
        }
        if isQuoted { out.append(quote) }
    }

    @inline(__always)
    private func isSpecial(_ byte: UInt8) -> Bool {
        byte == delimiter || byte == quote || byte == escape
    }

    /// What makes a spreadsheet calculate. Tab and CR, which do it too, never stand raw in a cell.
    @inline(__always)
    private static func beginsFormula(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"): true
        default: false
        }
    }
}
