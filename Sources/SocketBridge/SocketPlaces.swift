/// Where the daemon's socket is looked for.
public struct SocketPlaces: Hashable, Sendable {
    /// In this order.
    public let paths: [String]
    /// Whether the one path was given by the caller or the environment.
    public let isNamed: Bool

    /// The longest path that a Unix socket can have, in bytes. unix(7): `sun_path` has 108 with its zero.
    public static let longestPath = 107

    /// `explicit`, else `GATEKIT_SOCKET`, else the usual places: that of the installed service, that of a daemon started
    /// as root, that of one's own.
    /// - Parameters:
    ///   - explicit: what `--socket` says.
    ///   - environment: the process's.
    public init(explicit: String?, environment: [String: String]) {
        let named = explicit ?? environment["GATEKIT_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        if let named {
            paths = [named]
            isNamed = true
            return
        }
        var usual = ["/run/gatekit-sockets/mcp.sock", "/run/gatekit/mcp.sock"]
        if let directory = environment["XDG_RUNTIME_DIR"], !directory.isEmpty {
            usual.append("\(directory)/gatekit/mcp.sock")
        }
        paths = usual
        isNamed = false
    }
}
