import NIOCore

/// A short byte string: up to 15 bytes without an allocation, compared byte by byte.
///
/// (Swift's `String` compares by canonical equivalence, under which two different ids could be one.)
enum InlineBytes: Hashable, Sendable {
    /// Up to 15 bytes from the lowest up; the topmost byte of the second word counts them.
    case short(UInt64, UInt64)
    /// At least 16 bytes.
    case long([UInt8])

    private static let longestShort = 15

    @inline(__always)
    init(_ range: ByteRange, of bytes: RawSpan) {
        let count = range.count
        guard count <= Self.longestShort else {
            self = .long(bytes.array(range))
            return
        }
        let start = Int(range.lower)
        let first = bytes.partialWord(start, count: count)
        let second = count > 8 ? bytes.partialWord(start &+ 8, count: count &- 8) : 0
        self = .short(first, second | UInt64(truncatingIfNeeded: count) &<< 56)
    }

    init(_ array: [UInt8]) {
        self.init(ByteRange(0, array.count), of: array.span.bytes)
    }

    /// The decimal digits of `number`.
    init(_ number: UInt64) {
        guard number < 1_000_000_000_000_000 else {
            self = .long(Array(String(number).utf8))
            return
        }
        var first: UInt64 = 0
        var second: UInt64 = 0
        var rest = number
        var count: UInt64 = 0
        repeat {
            // The last digit comes first here, hence each one pushes those before it up by a byte.
            second = second &<< 8 | first &>> 56
            first = first &<< 8 | asciiZero &+ rest % 10
            rest /= 10
            count &+= 1
        } while rest > 0
        self = .short(first, second | count &<< 56)
    }

    var count: Int {
        switch self {
        case .short(_, let second): Int(truncatingIfNeeded: second &>> 56)
        case .long(let bytes): bytes.count
        }
    }

    var array: [UInt8] {
        switch self {
        case .short(let first, let second):
            (0..<count).map { (index: Int) -> UInt8 in
                let word = index < 8 ? first : second
                return UInt8(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: (index & 7) &* 8))
            }
        case .long(let bytes): bytes
        }
    }

    @inline(__always)
    func write(to writer: inout PieceWriter) {
        switch self {
        case .short(let first, let second): writer.append(first, second, length: count)
        case .long(let bytes): bytes.withUnsafeBytes { writer.append($0) }
        }
    }

    @inline(__always)
    func write(to buffer: inout ByteBuffer) {
        switch self {
        case .short(let first, let second):
            let count = count
            buffer.writeMultipleIntegers(first, second, endianness: .little)
            buffer.moveWriterIndex(to: buffer.writerIndex &- (16 &- count))
        case .long(let bytes): buffer.writeBytes(bytes)
        }
    }
}

private let asciiZero = UInt64(UInt8(ascii: "0"))

extension RawSpan {
    /// A copy of a stretch of this span.
    func array(_ range: ByteRange) -> [UInt8] {
        extracting(Int(range.lower)..<Int(range.upper)).withUnsafeBytes { Array($0) }
    }
}
