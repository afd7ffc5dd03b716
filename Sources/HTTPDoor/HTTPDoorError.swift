internal import GatewayConfiguration
internal import Glibc

/// Why the door cannot be opened or changed.
public struct HTTPDoorError: Error, CustomStringConvertible {
    /// Names the setting, the address and the cause.
    public let description: String

    static func system(_ deed: String, _ settings: HTTPDoorSettings, _ code: Int32) -> HTTPDoorError {
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        let remedy =
            code == EADDRINUSE
            ? "; choose another proxy.http.port, or find who has it with: ss -ltnp 'sport = :\(settings.port)'" : ""
        return HTTPDoorError(
            description:
                "proxy.http: cannot \(deed) \(host):\(settings.port): \(String(cString: strerror(code)))\(remedy)")
    }
}
