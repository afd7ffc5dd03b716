/// `proxy.http`.
public struct HTTPDoorSettings: Hashable, Sendable {
    /// An address or a name, without brackets. Default `127.0.0.1`.
    public var host: String
    /// 1 to 65535. Default 8080.
    public var port: Int
    /// Begins with a slash. Default `/mcp`.
    public var path: String
    /// Values of `Origin` that are let in besides none: `scheme://host[:port]`, or `null`.
    public var allowedOrigins: [String]
    /// Values of `Host` that are let in besides the door's own: `host`, with any port, or `host:port`.
    public var allowedHosts: [String]
    /// Connections at once. Default 2048; 1 to 100,000.
    public var maxConnections: Int
    /// Absolute path of the bearer tokens' file; nil for a door without tokens, which is on loopback.
    public var tokensFile: String?
    /// What the tokens' file holds, by the name of each token. Empty lets nobody in; nil for a door without tokens.
    public var tokens: [String: TokenDigest]?
    /// nil for a door without TLS.
    public var tls: TLSFiles?

    /// The default door.
    public init() {
        host = "127.0.0.1"
        port = 8080
        path = "/mcp"
        allowedOrigins = []
        allowedHosts = []
        maxConnections = 2048
        tokensFile = nil
        tokens = nil
        tls = nil
    }
}

/// `proxy.http.tls`: two PEM files with the bytes that were read of them.
public struct TLSFiles: Hashable, Sendable {
    /// Absolute path of the chain, the server's own certificate first.
    public var certificatePath: String
    /// Absolute path of the private key.
    public var keyPath: String
    /// Holds at least one certificate's PEM block.
    public var certificate: [UInt8]
    /// Holds an unencrypted private key's PEM block.
    public var key: SecretBytes

    /// Joins the files.
    public init(certificatePath: String, keyPath: String, certificate: [UInt8], key: SecretBytes) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.certificate = certificate
        self.key = key
    }
}

/// Bytes that no print, dump or interpolation shows.
public struct SecretBytes: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The secret itself.
    public let bytes: [UInt8]

    /// Keeps the bytes.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Only that there are some.
    public var description: String { "(secret bytes)" }
    /// Only that there are some.
    public var debugDescription: String { description }
    /// Without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
