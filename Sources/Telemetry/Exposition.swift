/// Metrics in Prometheus' text format 0.0.4, family by family. A pure value: the same calls give the same bytes.
///
/// Source: prometheus.io, "Exposition formats". Each family has its HELP and TYPE once and all its samples behind them,
/// which the caller sees to by the order of its calls.
public struct Exposition: Sendable {
    /// The HTTP header that goes with the bytes.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// What a family's numbers mean.
    enum Kind: String {
        /// Only grows, and begins anew with the process.
        case counter
        case gauge
        case histogram
        /// Without quantiles: only a sum and a count.
        case summary
    }

    /// What was written, UTF-8.
    public private(set) var bytes: [UInt8] = []
    private var name = ""

    init() {
        bytes.reserveCapacity(16 * 1024)
    }

    /// Begins a family. `help` is our own text, one line.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        append("# HELP \(name) ")
        // Only these two mean something in a HELP line.
        for byte in help.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append(#"\\"#)
            case 0x0A: append(#"\n"#)
            default: bytes.append(byte)
            }
        }
        append("\n# TYPE \(name) \(kind.rawValue)\n")
    }

    /// A number of the family that was begun last.
    mutating func sample(_ labels: MetricLabels = .none, _ value: some BinaryInteger) {
        begin("", labels)
        append(String(value))
        append("\n")
    }

    /// The same with labels in two parts, which many samples share.
    mutating func sample(_ labels: MetricLabels, _ more: MetricLabels, _ value: some BinaryInteger) {
        begin("", labels, more)
        append(String(value))
        append("\n")
    }

    /// A whole family of one number.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        family(name, kind, help)
        sample(.none, value)
    }

    /// A time of the family that was begun last, from nanoseconds; in seconds, as all of Prometheus.
    mutating func sample(_ labels: MetricLabels = .none, nanoseconds: UInt64) {
        begin("", labels)
        append(Self.seconds(nanoseconds))
        append("\n")
    }

    /// One histogram of the family that was begun last: its buckets, each with all below it, its sum and its count.
    mutating func sample(_ labels: MetricLabels = .none, _ histogram: Histogram) {
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total += count
            let bound = index < histogram.bounds.count ? Self.seconds(histogram.bounds[index]) : "+Inf"
            begin("_bucket", labels, MetricLabels("le", bound))
            append(String(total))
            append("\n")
        }
        sum(labels, nanoseconds: histogram.sum, count: total)
    }

    /// A sum of times and their count, of the histogram or summary that was begun last.
    mutating func sum(_ labels: MetricLabels, nanoseconds: UInt64, count: UInt64) {
        begin("_sum", labels)
        append(Self.seconds(nanoseconds))
        append("\n")
        begin("_count", labels)
        append(String(count))
        append("\n")
    }

    private mutating func begin(_ suffix: String, _ labels: MetricLabels, _ more: MetricLabels = .none) {
        append(name)
        append(suffix)
        if !labels.text.isEmpty || !more.text.isEmpty {
            append("{")
            append(labels.text)
            if !labels.text.isEmpty, !more.text.isEmpty { append(",") }
            append(more.text)
            append("}")
        }
        append(" ")
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Exact, and without zeros at the end: `0.0025`.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard rest > 0 else { return String(whole) }
        var digits = String(rest)
        digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}

/// Labels of a sample as they are printed, made once where a sample is printed often.
struct MetricLabels: Hashable, Sendable {
    /// `name="value",other="value"`.
    let text: String

    static let none = MetricLabels(text: "")

    private init(text: String) {
        self.text = text
    }

    /// Names are literals of ours; values are any text.
    init(_ name: String, _ value: String) {
        self = Self.none.adding(name, value)
    }

    /// The same and one more.
    func adding(_ name: String, _ value: String) -> MetricLabels {
        let comma = text.isEmpty ? "" : ","
        return MetricLabels(text: "\(text)\(comma)\(name)=\"\(Self.escaped(value))\"")
    }

    /// Backslash, quote and newline are escaped, and no others, or a reader would see the escapes.
    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        return value.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\\": text += #"\\"#
            case "\"": text += #"\""#
            case "\n": text += #"\n"#
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
