/// What pages in browsers need besides being let in (Fetch, "CORS protocol"). Only origins that ``origin(_:)`` lets in
/// ever get any of it.
extension HTTPRules {
    /// The fields of the answer to a browser that asks whether a page may send a request, or why it may not; nil when the
    /// request is no such question. It comes without a token, whatever the door demands of the request itself.
    func preflight(_ head: RequestHead) -> Result<[(name: String, value: String)], HTTPRefusal>? {
        guard head.method == "OPTIONS", head.origin != nil else { return nil }
        if let refusal = framing(head) ?? host(head) ?? origin(head) ?? target(head) { return .failure(refusal) }
        return .success([
            ("Access-Control-Allow-Methods", "POST, GET, DELETE"),
            (
                "Access-Control-Allow-Headers",
                "Accept, Authorization, Content-Type, Last-Event-ID, MCP-Protocol-Version, Mcp-Session-Id"
            ),
            ("Access-Control-Max-Age", "600"),
        ])
    }

    /// The fields that let a page read an answer, whatever that is; none for foreign pages and for what is no page.
    func readable(_ head: RequestHead) -> [(name: String, value: String)] {
        guard let page = head.origin, framing(head) == nil, host(head) == nil, origin(head) == nil else { return [] }
        return [
            ("Access-Control-Allow-Origin", page),
            ("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate"),
            ("Vary", "Origin"),
        ]
    }
}
