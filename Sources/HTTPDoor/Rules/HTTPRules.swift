internal import EraTranslation
internal import GatewayConfiguration

/// What a door demands of a request's head before it reads the body. A pure value: the door makes one when it opens and
/// with every reload. Sources: MCP 2025-11-25, transports; RFC 9110; DNS rebinding is why Host and Origin are looked at.
struct HTTPRules: Sendable {
    private let path: String
    private let port: Int
    /// 80, or 443 with TLS: the one that a client leaves away.
    private let defaultPort: Int
    private let ownHosts: Set<String>
    /// With a port.
    private let allowedHosts: Set<HostAndPort>
    /// With any port.
    private let allowedNames: Set<String>
    private let allowedOrigins: Set<WebOrigin>
    private let tokens: BearerTokens?
    private let protocolVersions: Set<String>

    /// - Parameters:
    ///   - settings: validated; what is no host or origin there is passed over.
    ///   - address: what the door is bound to, a literal address.
    ///   - port: the same; it may differ from the settings' where a test or systemd chose it.
    ///   - protocolVersions: the revisions that are spoken here.
    init(_ settings: HTTPDoorSettings, address: String, port: Int, protocolVersions: Set<String>) {
        path = settings.path
        self.port = port
        defaultPort = settings.tls == nil ? 80 : 443
        let own = [settings.host, address].compactMap { HostAndPort(host: $0, port: nil) }.filter { !$0.isWildcard }
        ownHosts = Set(own.map(\.host)).union(Self.loopbackNames)
        let allowed = settings.allowedHosts.compactMap { HostAndPort($0) }
        allowedHosts = Set(allowed.filter { $0.port != nil })
        allowedNames = Set(allowed.filter { $0.port == nil }.map(\.host))
        allowedOrigins = Set(settings.allowedOrigins.compactMap { WebOrigin($0) })
        tokens = settings.tokens.map(BearerTokens.init)
        self.protocolVersions = protocolVersions
    }

    private static let loopbackNames: Set<String> = ["localhost", "127.0.0.1", "::1"]

    /// Every check in order; the first that fails decides.
    func admit(_ head: RequestHead) -> Result<HTTPIdentity, HTTPRefusal> {
        if let refusal = framing(head) ?? host(head) ?? origin(head) ?? target(head) { return .failure(refusal) }
        return identity(head).flatMap { identity in
            let refusal = method(head) ?? contentType(head) ?? accept(head) ?? protocolVersion(head)
            return refusal.map { .failure($0) } ?? .success(identity)
        }
    }

    /// Whose token a request has: the only check that a head known to be good has to pass again.
    func identity(_ head: RequestHead) -> Result<HTTPIdentity, HTTPRefusal> {
        tokens?.check(head.authorization) ?? .success(HTTPIdentity())
    }

    /// Whether a session of this owner may go on under these rules.
    func admitsStill(_ owner: HTTPIdentity) -> Bool {
        tokens?.holds(owner) ?? (owner.name == nil)
    }

    // MARK: - The checks, each nil or a refusal

    /// Fields that decide something occur once, or two readers on the way could each see another one.
    func framing(_ head: RequestHead) -> HTTPRefusal? {
        if let name = head.doubled {
            return HTTPRefusal(
                status: .badRequest, message: "header field \(name) occurs more than once", reason: "doubled_header",
                detail: name)
        }
        guard head.isAmbiguous else { return nil }
        return HTTPRefusal(
            status: .badRequest, message: "Content-Length and Transfer-Encoding exclude each other",
            reason: "ambiguous_length")
    }

    /// The door's own names with its port, or `allowed_hosts`.
    func host(_ head: RequestHead) -> HTTPRefusal? {
        guard head.hosts == 1, let text = head.host, let host = HostAndPort(text) else {
            return HTTPRefusal(
                status: .badRequest, message: "exactly one valid Host is needed (RFC 9112, 3.2)", reason: "bad_host",
                detail: head.host)
        }
        if ownHosts.contains(host.host), (host.port ?? defaultPort) == port { return nil }
        if allowedNames.contains(host.host) || allowedHosts.contains(host) { return nil }
        return HTTPRefusal(
            status: .forbidden, code: -32000,
            message: "Host is not served here; who runs the gateway may add it to proxy.http.allowed_hosts",
            reason: "foreign_host", detail: text)
    }

    /// None, the page's own host, or `allowed_origins`.
    func origin(_ head: RequestHead) -> HTTPRefusal? {
        guard let text = head.origin else { return nil }
        if let origin = WebOrigin(text), allowedOrigins.contains(origin) || isOwn(origin, head) { return nil }
        return HTTPRefusal(
            status: .forbidden, code: -32000,
            message: "Origin is not allowed; who runs the gateway may add it to proxy.http.allowed_origins",
            reason: "foreign_origin", detail: text)
    }

    /// Whether a page comes from where it sends its request to; the names of this machine are one. Its scheme is not
    /// compared, since a proxy may have done the TLS.
    private func isOwn(_ origin: WebOrigin, _ head: RequestHead) -> Bool {
        guard case .tuple(let scheme, let name, let port?) = origin, let host = head.host.flatMap({ HostAndPort($0) })
        else { return false }
        let isSameName =
            name == host.host || Self.loopbackNames.contains(name) && Self.loopbackNames.contains(host.host)
        return isSameName && port == host.port ?? WebOrigin.defaultPort(of: scheme)
    }

    /// The endpoint, in the only form that clients send (RFC 9112, 3.2.1).
    func target(_ head: RequestHead) -> HTTPRefusal? {
        if head.path == path { return nil }
        return HTTPRefusal(
            status: .notFound, message: "no such path; who runs the gateway set it by proxy.http.path",
            reason: "unknown_path", detail: String(head.path))
    }

    func method(_ head: RequestHead) -> HTTPRefusal? {
        if ["POST", "GET", "DELETE"].contains(head.method) { return nil }
        return HTTPRefusal(
            status: .methodNotAllowed, message: "method is not allowed (allowed: POST, GET, DELETE)",
            headers: [("Allow", "POST, GET, DELETE")], reason: "wrong_method", detail: head.method)
    }

    /// JSON in UTF-8, not compressed. Only POST has a body.
    func contentType(_ head: RequestHead) -> HTTPRefusal? {
        guard head.method == "POST" else { return nil }
        if let encoding = head.contentEncoding, encoding.lowercased() != "identity" {
            return HTTPRefusal(
                status: .unsupportedMediaType, message: "Content-Encoding is not taken; send the body as it is",
                headers: [("Accept-Encoding", "identity")], reason: "wrong_content_encoding", detail: encoding)
        }
        let parts = (head.contentType ?? "").split(separator: ";").map { MediaRanges.trimmed($0).lowercased() }
        let charsets = parts.dropFirst().filter { $0.hasPrefix("charset=") }
        let isUTF8 = charsets.allSatisfy { ["utf-8", "\"utf-8\""].contains($0.dropFirst("charset=".count)) }
        if parts.first == "application/json", isUTF8 { return nil }
        return HTTPRefusal(
            status: .unsupportedMediaType, message: "Content-Type must be application/json, in UTF-8",
            reason: "wrong_content_type", detail: head.contentType)
    }

    /// POST may be answered by either of two types, and its client has to name both; GET by one.
    func accept(_ head: RequestHead) -> HTTPRefusal? {
        let types: [String]
        switch head.method {
        case "POST": types = ["application/json", "text/event-stream"]
        case "GET": types = ["text/event-stream"]
        default: return nil
        }
        let ranges = MediaRanges(head.accept ?? "")
        if types.allSatisfy(ranges.allows) { return nil }
        return HTTPRefusal(
            status: .notAcceptable, message: "Accept must allow \(types.joined(separator: " and "))",
            reason: "not_acceptable", detail: head.accept)
    }

    /// Absent stands for 2025-03-26, which had no such field.
    func protocolVersion(_ head: RequestHead) -> HTTPRefusal? {
        // A POST's body is read first: it may be of the modern era, and the answer bears its id.
        guard head.method != "POST", let version = head.protocolVersion, version != ModernProtocol.version,
            !protocolVersions.contains(version)
        else { return nil }
        return HTTPRefusal(
            status: .badRequest,
            message: "MCP-Protocol-Version is not spoken here (supported: "
                + "\(protocolVersions.sorted().joined(separator: ", ")))",
            reason: "unknown_protocol_version", detail: version)
    }
}
