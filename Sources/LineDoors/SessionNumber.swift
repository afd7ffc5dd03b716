/// Mints the audit's `session_id`.
enum SessionNumber {
    /// 16 hex digits, 64 random bits.
    static func mint() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
