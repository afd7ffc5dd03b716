/// Finds one member of an object without building anything.
enum JSONMember {
    /// The value of the top-level member `name` in the object `bytes`; nil when there is none. `bytes` has passed the
    /// scanner: it is valid and names no member twice.
    static func value(_ name: StaticString, in bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        var depth = 0
        var at = 0
        var expectsName = false
        var valueStart: Int?
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                guard let (end, escaped) = JSONString.end(bytes, quote: at) else { return nil }
                if depth == 1, expectsName {
                    expectsName = false
                    let raw = UnsafeBufferPointer(rebasing: bytes[at + 1..<end])
                    let isWanted = name.withUTF8Buffer {
                        escaped ? JSONString.unescaped(raw).elementsEqual($0) : raw.elementsEqual($0)
                    }
                    if isWanted {
                        guard let colon = bytes[end...].firstIndex(of: UInt8(ascii: ":")) else { return nil }
                        valueStart = colon + 1
                    }
                }
                at = end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 1 { expectsName = bytes[at] == UInt8(ascii: "{") }
            case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","):
                if depth == 1, let start = valueStart { return UnsafeBufferPointer(rebasing: bytes[start..<at]) }
                if bytes[at] != UInt8(ascii: ",") {
                    depth -= 1
                } else if depth == 1 {
                    expectsName = true
                }
            default: break
            }
            at += 1
        }
        return nil
    }
}
