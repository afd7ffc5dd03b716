internal import Glibc

/// Times as text.
enum UTCTime {
    /// ISO 8601 in UTC, to the second: `2026-01-31T23:59:59Z`.
    static func text(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        // Fails for years beyond 32 bits only, which a broken file system may well tell.
        guard gmtime_r(&time, &parts) != nil else { return "unknown" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(Int(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }
}
