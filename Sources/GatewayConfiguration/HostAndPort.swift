internal import Glibc

/// `host[:port]`, as a Host header, an origin and `allowed_hosts` write it (RFC 3986, 3.2.2), in one spelling.
public struct HostAndPort: Hashable, Sendable {
    /// A name or an address: lower case, IPv6 without brackets and in its shortest form.
    public let host: String
    /// 1 to 65535; nil when none was written.
    public let port: Int?

    /// Joins a host and a port.
    public init?(host: some StringProtocol, port: Int?) {
        guard let host = Self.normalized(host) else { return nil }
        self.host = host
        self.port = port
    }

    /// nil for what is no host: empty, too long, with user information, a path, a wildcard or a character that no name
    /// has.
    public init?(_ text: some StringProtocol) {
        guard (1...300).contains(text.utf8.count) else { return nil }
        let rest: String
        if text.utf8.first == UInt8(ascii: "[") {
            guard let end = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let address = text[text.utf8.index(after: text.startIndex)..<end]
            guard address.contains(":"), let host = Self.normalized(address) else { return nil }
            self.host = host
            rest = String(text[text.utf8.index(after: end)...])
        } else {
            let end = text.utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
            guard let host = Self.normalized(text[..<end]) else { return nil }
            self.host = host
            rest = String(text[end...])
        }
        if rest.isEmpty {
            port = nil
        } else {
            let digits = rest.utf8.dropFirst()
            guard rest.utf8.first == UInt8(ascii: ":"), (1...5).contains(digits.count),
                digits.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(rest.dropFirst()),
                (1...65535).contains(port)
            else { return nil }
            self.port = port
        }
    }

    private static func normalized(_ text: some StringProtocol) -> String? {
        if text.contains(":") {
            var address = in6_addr()
            guard inet_pton(AF_INET6, String(text), &address) == 1 else { return nil }
            var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)) != nil else { return nil }
            return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._".utf8.contains(byte)
            }
        }
        return isName && (1...253).contains(text.utf8.count) ? text.lowercased() : nil
    }

    /// Whether it is `localhost` or a literal address of this machine alone (127.0.0.0/8, ::1). Other names are not,
    /// whatever they resolve to today.
    public var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let text = host.hasPrefix("::ffff:") ? String(host.dropFirst(7)) : host
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
    }

    /// Whether it stands for every address of the machine.
    public var isWildcard: Bool { host == "0.0.0.0" || host == "::" }
}

/// The value of an Origin header (RFC 6454), in one spelling.
public enum WebOrigin: Hashable, Sendable {
    /// `null`: a page of no origin that one could name, such as a file or a sandboxed frame.
    case opaque
    /// A nil port is the scheme's only one; http and https have theirs written out.
    case tuple(scheme: String, host: String, port: Int?)

    /// nil for what no browser sends: a path, a slash at the end, a wildcard.
    public init?(_ text: String) {
        if text == "null" {
            self = .opaque
            return
        }
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8),
            let authority = HostAndPort(String(decoding: bytes[(colon + 3)...], as: UTF8.self))
        else { return nil }
        let scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        let isScheme = scheme.utf8.allSatisfy { (0x61...0x7A).contains($0) || "0123456789+-.".utf8.contains($0) }
        guard let first = scheme.utf8.first, (0x61...0x7A).contains(first), isScheme else { return nil }
        self = .tuple(
            scheme: scheme, host: authority.host, port: authority.port ?? Self.defaultPort(of: scheme))
    }

    /// 80 and 443.
    public static func defaultPort(of scheme: String) -> Int? {
        switch scheme {
        case "http": 80
        case "https": 443
        default: nil
        }
    }
}
