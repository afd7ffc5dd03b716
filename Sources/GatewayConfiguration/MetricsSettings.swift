/// `metrics`.
public struct MetricsSettings: Hashable, Sendable {
    /// An address, without the brackets of IPv6. Default `127.0.0.1`.
    public var host: String
    /// 1 to 65535; 0, which the file may not say, lets the system choose.
    public var port: Int

    /// Joins the two.
    public init(host: String = "127.0.0.1", port: Int) {
        self.host = host
        self.port = port
    }

    /// `127.0.0.1:9464`, `[::1]:9464`.
    public var address: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
