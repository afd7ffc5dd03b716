internal import Glibc

/// One entry of the system journal in the form of the native protocol, field by field.
///
/// `NAME=value` and a newline, or, where the value holds a newline, `NAME`, a newline, the value's length as 64 bits in
/// little endian, the value, a newline. Source: systemd's "Native Journal Protocol". Values are any bytes; the caller
/// decides what a reader's terminal may see. A value owns its memory: to save allocations on a hot path, keep an entry
/// and ``removeAll()`` it.
public struct JournalEntry: Sendable, Hashable {
    /// The serialised fields.
    public private(set) var bytes: [UInt8] = []

    /// An entry without fields.
    public init() {}

    /// Whether journald takes a field of this name: capitals, digits and underscores, at most 64, and neither a digit
    /// nor an underscore first. It silently drops others; see systemd.journal-fields(7).
    public static func isFieldName(_ name: StaticString) -> Bool {
        name.withUTF8Buffer { name in
            guard let first = name.first, name.count <= 64, isCapital(first) else { return false }
            return name.allSatisfy { isCapital($0) || $0 >= 0x30 && $0 <= 0x39 || $0 == UInt8(ascii: "_") }
        }
    }

    private static func isCapital(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }

    /// Forgets all fields and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Appends a field. `name` is a literal of ours: one that ``isFieldName(_:)`` refuses stops a debug build. In a
    /// release build journald drops it, and only that.
    public mutating func append(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
        assert(Self.isFieldName(name), "no field name of the journal: \(name)")
        append(text: name)
        if let start = value.baseAddress, memchr(start, 0x0A, value.count) != nil {
            bytes.append(0x0A)
            withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes.append(contentsOf: $0) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes.append(contentsOf: value)
        bytes.append(0x0A)
    }

    private mutating func append(text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a field that holds a text's UTF-8.
    public mutating func append(_ name: StaticString, _ value: String) {
        var value = value
        value.withUTF8 { append(name, UnsafeRawBufferPointer($0)) }
    }

    /// Appends a field that holds our own words.
    public mutating func append(_ name: StaticString, _ value: StaticString) {
        append(name, UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// Appends a field that holds a decimal number.
    public mutating func append(_ name: StaticString, number value: Int) {
        append(name, isNegative: value < 0, value.magnitude)
    }

    /// Appends a field that holds a decimal number.
    public mutating func append(_ name: StaticString, number value: UInt64) {
        append(name, isNegative: false, UInt(value))
    }

    /// Without a string: a busy gateway prints two numbers an entry.
    private mutating func append(_ name: StaticString, isNegative: Bool, _ magnitude: UInt) {
        // A sign and the 20 digits of the largest number.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 21) { digits in
            var first = digits.count
            var rest = magnitude
            repeat {
                first -= 1
                digits[first] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if isNegative {
                first -= 1
                digits[first] = UInt8(ascii: "-")
            }
            append(name, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: digits[first...])))
        }
    }

    /// Appends the fields of another entry.
    public mutating func append(contentsOf other: JournalEntry) {
        bytes.append(contentsOf: other.bytes)
    }
}

/// How much an entry matters, from syslog(3): the journal's `PRIORITY`.
public enum JournalPriority: Int, Sendable, CaseIterable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
    case debug = 7
}
