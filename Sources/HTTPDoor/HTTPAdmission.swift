internal import NIOHTTP1

/// Who a request comes from, as its credentials say. A session belongs to the identity that opened it.
struct HTTPIdentity: Hashable, Sendable {
    /// The name of the bearer token; nil where the door asks for none.
    var name: String?
}

/// Why a request is not let in.
struct HTTPRefusal: Error, Sendable {
    var status: HTTPStatus
    /// The JSON-RPC error code of the body.
    var code: Int = -32600
    /// Goes to the client and the audit: our own text.
    var message: String
    /// Further header fields of the answer.
    var headers: [(name: String, value: String)] = []
}

/// Decides about a request by its head, before its body is read. Called on the gateway loop.
protocol HTTPAdmission {
    /// `peer` is the address without its port.
    func admit(_ head: HTTPRequestHead, peer: String) -> Result<HTTPIdentity, HTTPRefusal>
}

/// Lets in whoever talks to this machine by one of its own names: the rule against DNS rebinding for a door without
/// tokens. MCP 2025-11-25, transports, "Security Warning".
struct LoopbackAdmission: HTTPAdmission {
    private static let names: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    func admit(_ head: HTTPRequestHead, peer: String) -> Result<HTTPIdentity, HTTPRefusal> {
        guard let host = head.headers.first(name: "host"), Self.names.contains(Self.name(of: host)) else {
            return .failure(HTTPRefusal(status: .forbidden, message: "Host is not served here"))
        }
        if let origin = head.headers.first(name: "origin"), !Self.isLocal(origin) {
            return .failure(HTTPRefusal(status: .forbidden, message: "Origin is not allowed"))
        }
        return .success(HTTPIdentity())
    }

    private static func isLocal(_ origin: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: { origin.lowercased().hasPrefix($0) }) else {
            return false
        }
        return names.contains(name(of: String(origin.dropFirst(scheme.count))))
    }

    /// `host:port` without the port.
    private static func name(of authority: String) -> String {
        let text = authority.lowercased()
        guard let colon = text.lastIndex(of: ":"), text[text.index(after: colon)...].allSatisfy(\.isNumber) else {
            return text
        }
        return String(text[..<colon])
    }
}
