internal import GatewayConfiguration

/// Why a request is not let in, and the answer to it.
struct HTTPRefusal: Error, Sendable {
    var status: HTTPStatus
    /// The JSON-RPC error code of the body.
    var code: Int
    /// Goes to the client: our own text, which never repeats what the client sent.
    var message: String
    /// Further header fields of the answer.
    var headers: [(name: String, value: String)]
    /// Our word for the audit, such as `foreign_host`; nil for what is no offence.
    var reason: String?
    /// What was refused, for the operator: untrusted, at most 100 bytes, never a credential.
    var detail: String?

    /// Joins a refusal's parts.
    init(
        status: HTTPStatus, code: Int = -32600, message: String, headers: [(name: String, value: String)] = [],
        reason: String? = nil, detail: String? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
        self.reason = reason
        self.detail = detail.map { String($0.prefix(100)) }
    }
}

/// Who a request comes from, as its credentials say. A session belongs to the identity that opened it.
struct HTTPIdentity: Hashable, Sendable {
    /// The name of the bearer token; nil where the door asks for none.
    var name: String?
    /// Of that token: a name that was given another token is another identity.
    var digest: TokenDigest?
}
