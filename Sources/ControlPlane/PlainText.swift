/// Text for a terminal.
enum PlainText {
    /// Without control characters and bidi overrides, which foreign text could forge lines or colours with; line ends
    /// stay.
    static func safe(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A: result.unicodeScalars.append(scalar)
            case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `4.2 ms`, `1.5 s`.
    static func milliseconds(_ value: Double) -> String {
        value < 1000 ? "\(tenths(value)) ms" : "\(tenths(value / 1000)) s"
    }

    /// `45 s`, `3 min 5 s`, `2 h 14 min`, `3 d 4 h`.
    static func seconds(_ value: Int) -> String {
        switch value {
        case ..<60: "\(value) s"
        case ..<3600: "\(value / 60) min \(value % 60) s"
        case ..<86400: "\(value / 3600) h \(value % 3600 / 60) min"
        default: "\(value / 86400) d \(value % 86400 / 3600) h"
        }
    }

    /// `812 B`, `1.5 KiB`, `3.0 MiB`, `1.2 GiB`.
    static func bytes(_ value: UInt64) -> String {
        var size = Double(value)
        for unit in ["B", "KiB", "MiB"] {
            if size < 1024 { return unit == "B" ? "\(value) B" : "\(tenths(size)) \(unit)" }
            size /= 1024
        }
        return "\(tenths(size)) GiB"
    }

    /// `1 restart`, `2 restarts`.
    static func count(_ number: some BinaryInteger, _ thing: String) -> String {
        "\(number) \(thing)\(number == 1 ? "" : "s")"
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
