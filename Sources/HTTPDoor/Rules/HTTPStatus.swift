/// The statuses that the door answers with, each for one reason. RFC 9110, and the transport chapter of MCP.
enum HTTPStatus: Int, Hashable, Sendable, CaseIterable {
    case ok = 200
    case accepted = 202
    case noContent = 204
    case badRequest = 400
    case unauthorized = 401
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case notAcceptable = 406
    case requestTimeout = 408
    case contentTooLarge = 413
    case unsupportedMediaType = 415
    case tooManyRequests = 429
    case headersTooLarge = 431
    case internalError = 500
    case unavailable = 503
    case versionNotSupported = 505
}
