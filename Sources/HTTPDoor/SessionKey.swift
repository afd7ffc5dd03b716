/// `Mcp-Session-Id`: a credential, so it is never logged and never in the audit.
enum SessionKey {
    /// 128 random bits as 32 hex digits, from the system's generator.
    static func mint() -> String {
        hex(UInt64.random(in: .min ... .max)) + hex(UInt64.random(in: .min ... .max))
    }

    /// The audit's `session_id`: 16 hex digits that have nothing to do with the key.
    static func mintAuditID() -> String {
        hex(UInt64.random(in: .min ... .max))
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
