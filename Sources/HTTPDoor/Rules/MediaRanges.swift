/// An Accept field (RFC 9110, 12.5.1). Ranges that are malformed count as not there.
struct MediaRanges {
    private struct Range {
        var type: String
        var quality: Double
    }

    private let ranges: [Range]

    /// Reads a list of ranges.
    init(_ accept: String) {
        ranges = accept.utf8.split(separator: UInt8(ascii: ",")).compactMap { Self.range(Substring($0)) }
    }

    /// Whether a type, lower case and without parameters, may be sent: the most specific range decides.
    func allows(_ type: String) -> Bool {
        let family = type.prefix { $0 != "/" } + "/*"
        for name in [type, String(family), "*/*"] {
            let qualities = ranges.filter { $0.type == name }.map(\.quality)
            if let best = qualities.max() { return best > 0 }
        }
        return false
    }

    private static func range(_ text: Substring) -> Range? {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        let type = parts[0].lowercased()
        guard type.utf8.contains(UInt8(ascii: "/")) else { return nil }
        var quality = 1.0
        for part in parts.dropFirst() where part.lowercased().hasPrefix("q=") {
            guard let number = self.quality(part.dropFirst(2)) else { return nil }
            quality = number
        }
        return Range(type: type, quality: quality)
    }

    /// `0` to `1` with at most three decimals (RFC 9110, 12.4.2).
    private static func quality(_ text: Substring) -> Double? {
        let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        guard isNumber, text.utf8.count <= 5, let number = Double(text), number <= 1 else { return nil }
        return number
    }

    static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        return start.lastIndex { $0 != " " && $0 != "\t" }.map { start[...$0] } ?? ""
    }
}
