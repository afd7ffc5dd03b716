/// A protocol revision. They are dates, so their order is that of their text.
struct ProtocolVersion: Hashable, Comparable {
    let text: String

    static let newestLegacy = ProtocolVersion(text: "2025-11-25")
    /// The only revision with JSON-RPC batches (basic/index of 2025-03-26; removed in 2025-06-18).
    static let batching = ProtocolVersion(text: "2025-03-26")
    static let legacy: Set<String> = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]

    static func < (left: ProtocolVersion, right: ProtocolVersion) -> Bool { left.text < right.text }

    /// What a client that offers `offer` is told when the upstream speaks `upstream`: never newer than either; a
    /// revision that we do not know is answered with the upstream's (lifecycle, "Version Negotiation").
    static func told(offer: String, upstream: ProtocolVersion) -> ProtocolVersion {
        legacy.contains(offer) ? min(ProtocolVersion(text: offer), upstream) : upstream
    }
}
