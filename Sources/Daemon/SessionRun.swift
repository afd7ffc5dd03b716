/// Mints the audit's `run`: 8 hex digits that tell one process's records from another's.
enum SessionRun {
    static func mint() -> String {
        let digits = String(UInt32.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
