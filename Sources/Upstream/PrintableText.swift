/// Untrusted bytes as text that stays on its line of a log, in the order in which it was written.
enum PrintableText {
    /// Decodes UTF-8, with U+FFFD for what is none, and writes every control, format (bidirectional and invisible) and
    /// separator character as `\u{…}`.
    static func escape(_ bytes: [UInt8]) -> String {
        if bytes.allSatisfy({ (0x20...0x7E).contains($0) }) { return String(decoding: bytes, as: UTF8.self) }
        var result = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
