/// Hides what looks like a secret among a command's words, for summaries. A secret belongs in the environment: this is
/// the net below, not the way.
enum SecretWords {
    /// The same five names as the audit's redaction.
    private static let names = ["password", "secret", "token", "key", "credential"]
    private static let mask = "***REDACTED***"

    /// `--api-key=x`, `--api-key x`, `TOKEN=x`, `Authorization: Bearer x` and `https://user:password@host`.
    static func hidden(_ words: [String]) -> [String] {
        var result: [String] = []
        var hidesNext = false
        for word in words {
            if hidesNext, !word.hasPrefix("-") {
                result.append(mask)
                hidesNext = false
                continue
            }
            hidesNext = false
            if let equals = word.firstIndex(of: "="), isSecret(word[..<equals]) {
                result.append(word[...equals] + mask)
            } else if word.lowercased().hasPrefix("authorization:") {
                result.append("Authorization: " + mask)
            } else {
                hidesNext = word.hasPrefix("-") && !word.contains("=") && isSecret(word[...])
                result.append(withoutUserInfo(word))
            }
        }
        return result
    }

    private static func isSecret(_ name: Substring) -> Bool {
        let name = name.lowercased()
        return names.contains { secret in
            name.indices.contains { name[$0...].hasPrefix(secret) }
        }
    }

    private static func withoutUserInfo(_ word: String) -> String {
        let scheme = Array("://".utf8)
        let bytes = Array(word.utf8)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: scheme) }) else { return word }
        let authority = bytes[(start + 3)...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return word }
        return String(decoding: bytes[..<(start + 3)], as: UTF8.self) + mask
            + String(decoding: bytes[at...], as: UTF8.self)
    }
}
