/// How the first record of a file begins, by which the formats without a header are told apart.
enum RecordStart: Hashable {
    /// `{`, of format json.
    case object
    /// `2024-06-16 10:30:15 UTC - `, of format line.
    case spelled
    /// `[2024-06-16 10:30:15`, of format debug.
    case bracketed
    /// `[TOOL CALL]`, of format tool.
    case named
    /// `2024-06-16 10:30:15,123 [`, of format tool with its prefix.
    case logging

    /// nil for anything else.
    init?(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return nil }
        switch first {
        case UInt8(ascii: "{"): self = .object
        case UInt8(ascii: "["):
            if Self.isDate(bytes.dropFirst()) {
                self = .bracketed
            } else if bytes.count > 1, bytes[1] >= 0x41, bytes[1] <= 0x5A {
                self = .named
            } else {
                return nil
            }
        default:
            guard Self.isDate(bytes[...]) else { return nil }
            var rest = bytes.dropFirst(Self.shape.utf8CodeUnitCount)
            let mark = rest.first
            if mark == UInt8(ascii: ",") || mark == UInt8(ascii: ".") {
                rest = rest.dropFirst().drop { $0 >= 0x30 && $0 <= 0x39 }
            }
            if mark != UInt8(ascii: ","), rest.starts(with: " UTC - ".utf8) {
                self = .spelled
            } else if mark == UInt8(ascii: ","), rest.starts(with: " [".utf8) {
                self = .logging
            } else {
                return nil
            }
        }
    }

    private static let shape: StaticString = "0000-00-00 00:00:00"

    private static func isDate(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count >= shape.utf8CodeUnitCount else { return false }
        return shape.withUTF8Buffer { shape in
            zip(bytes, shape).allSatisfy { byte, wanted in
                wanted == 0x30 ? byte >= 0x30 && byte <= 0x39 : byte == wanted
            }
        }
    }
}
