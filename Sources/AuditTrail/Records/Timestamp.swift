import GatewayConfiguration

/// How the parts of a UTC timestamp are joined.
struct TimestampStyle {
    /// Between date and time.
    var separator: UInt8
    /// In front of the fraction.
    var mark: UInt8
    /// Behind everything.
    var suffix: StaticString

    /// RFC 3339: `2024-06-16T10:30:15.123Z`.
    static let rfc3339 = TimestampStyle(separator: UInt8(ascii: "T"), mark: UInt8(ascii: "."), suffix: "Z")
    /// For people: `2024-06-16 10:30:15.123 UTC`.
    static let spelled = TimestampStyle(separator: 0x20, mark: UInt8(ascii: "."), suffix: " UTC")
    /// `2024-06-16 10:30:15.123`.
    static let plain = TimestampStyle(separator: 0x20, mark: UInt8(ascii: "."), suffix: "")
    /// As Python's logging prints `asctime`: `2024-06-16 10:30:15,123`.
    static let logging = TimestampStyle(separator: 0x20, mark: UInt8(ascii: ","), suffix: "")
}

/// Writes UTC timestamps and remembers the last second, which most records of a busy gateway share.
struct TimestampWriter {
    private let precision: FileAuditingSettings.Precision
    private let style: TimestampStyle
    private var second = Int64.min
    private var text: [UInt8] = []

    init(precision: FileAuditingSettings.Precision, style: TimestampStyle = .rfc3339) {
        self.precision = precision
        self.style = style
    }

    /// Appends `time`, in nanoseconds since 1970; what is finer than the precision is cut off.
    mutating func append(_ time: Int64, to out: LineBuffer) {
        var (whole, rest) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        if rest < 0 {
            whole -= 1
            rest += 1_000_000_000
        }
        if whole != second {
            second = whole
            text = Self.format(whole, style.separator)
        }
        out.append(text)
        switch precision {
        case .seconds: break
        case .milliseconds: appendFraction(rest / 1_000_000, digits: 3, to: out)
        case .microseconds: appendFraction(rest / 1000, digits: 6, to: out)
        }
        out.append(style.suffix)
    }

    private func appendFraction(_ value: Int64, digits: Int, to out: LineBuffer) {
        out.append(style.mark)
        var divisor: Int64 = digits == 3 ? 100 : 100_000
        while divisor > 0 {
            out.append(0x30 + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    private static func format(_ second: Int64, _ separator: UInt8) -> [UInt8] {
        let days = (second >= 0 ? second : second - 86_399) / 86_400
        let ofDay = second - days * 86_400
        let date = civil(days)
        return padded(date.year, 4) + [0x2D] + padded(date.month, 2) + [0x2D] + padded(date.day, 2) + [separator]
            + padded(ofDay / 3600, 2) + [0x3A] + padded(ofDay / 60 % 60, 2) + [0x3A] + padded(ofDay % 60, 2)
    }

    /// The Gregorian date of a day counted from 1970-01-01: years of 365.2425 days that begin in March, so that the
    /// leap day is a year's last.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, ofYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func padded(_ value: Int64, _ width: Int) -> [UInt8] {
        var digits = [UInt8](repeating: 0x30, count: width)
        var rest = value.magnitude
        for index in stride(from: width - 1, through: 0, by: -1) {
            digits[index] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
        return digits
    }
}
