/// A JSON number as exact decimal value: `negative`, digits without zeros at either end, and a power of ten.
///
/// Never computed in binary floating point, where 9007199254740993 and 9007199254740992 are one number.
struct ExactDecimal {
    private(set) var isNegative = false
    /// The significant digits as ASCII; empty for zero.
    private(set) var digits: [UInt8] = []
    /// The power of ten of the last significant digit.
    private(set) var exponent = 0
    /// How many digits the exponent of the number's text has, without leading zeros.
    private(set) var exponentDigitCount = 0

    /// Reads the number in `range`, whose syntax has been checked.
    init(_ range: ByteRange, of bytes: RawSpan) {
        var fractionCount = 0
        var isFraction = false
        var explicitExponent = 0
        var offset = Int(range.lower)
        let end = Int(range.upper)
        while offset < end {
            let byte = bytes.byte(offset)
            offset += 1
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                explicitExponent = readExponent(bytes, from: offset, to: end)
                offset = end
            default:
                if isFraction { fractionCount += 1 }
                if !digits.isEmpty || byte != UInt8(ascii: "0") { digits.append(byte) }
            }
        }
        exponent = explicitExponent - fractionCount
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty {
            isNegative = false
            exponent = 0
        }
    }

    private mutating func readExponent(_ bytes: RawSpan, from start: Int, to end: Int) -> Int {
        var value = 0
        var isBelowZero = false
        for offset in start..<end {
            switch bytes.byte(offset) {
            case UInt8(ascii: "-"): isBelowZero = true
            case UInt8(ascii: "+"): break
            case let digit:
                if value != 0 || digit != UInt8(ascii: "0") { exponentDigitCount += 1 }
                // Saturates far beyond what any reader of ``exponent`` accepts, and far below overflow.
                value = min(value * 10 + Int(digit - UInt8(ascii: "0")), 1_000_000_000_000)
            }
        }
        return isBelowZero ? -value : value
    }

    /// The value, where it is an integer of 64 bits.
    var int64: Int64? {
        guard exponent >= 0, digits.count + exponent <= 19 else { return nil }
        var magnitude: UInt64 = 0
        for digit in digits { magnitude = magnitude * 10 + UInt64(digit - UInt8(ascii: "0")) }
        for _ in 0..<exponent { magnitude *= 10 }
        guard isNegative else { return Int64(exactly: magnitude) }
        // The smallest integer has no positive counterpart.
        return magnitude == Int64.min.magnitude ? .min : Int64(exactly: magnitude).map { -$0 }
    }

    /// One spelling for each value: `-12e-3`.
    var canonical: [UInt8] {
        (isNegative ? [UInt8(ascii: "-")] : []) + digits + [UInt8(ascii: "e")] + Array(String(exponent).utf8)
    }
}
