import Testing

@testable import GatewayConfiguration

@Suite("HostAndPort")
struct HostAndPortTests {
    @Test(
        "a host with or without a port has one spelling",
        arguments: [
            ("localhost", "localhost", nil), ("LocalHost:8080", "localhost", 8080), ("127.0.0.1:1", "127.0.0.1", 1),
            ("[::1]", "::1", nil), ("[0:0::1]:65535", "::1", 65535), ("[2001:DB8::1]", "2001:db8::1", nil),
            ("a_b.example", "a_b.example", nil), ("a:0080", "a", 80),
        ] as [(String, String, Int?)])
    func valid(_ text: String, _ host: String, _ port: Int?) {
        let parsed = HostAndPort(text)
        #expect(parsed?.host == host && parsed?.port == port)
    }

    @Test(
        "what is no host is refused",
        arguments: [
            "", ":80", "a:", "a:x", "a:-1", "a:+1", "a:0", "a:65536", "a:000080", "a:80:80", "::1", "[::1", "[]",
            "[::1]x",
            "[::1]:", "[127.0.0.1]", "[fe80::1%25eth0]", "u@a", "a/b", "a b", "a\r\nb", "*", "*.a", "é", "a,b", "a?b",
            String(repeating: "a", count: 254),
        ])
    func invalid(_ text: String) {
        #expect(HostAndPort(text) == nil)
    }

    @Test(
        "this machine alone is told from what others can reach",
        arguments: [
            ("localhost", true), ("127.0.0.1", true), ("127.255.0.9", true), ("[::1]", true), ("[0::1]", true),
            ("[::ffff:127.0.0.1]", true), ("0.0.0.0", false), ("[::]", false), ("localhost.example", false),
            ("128.0.0.1", false), ("127.0.0.1.example", false), ("127.1", false), ("[::ffff:10.0.0.1]", false),
        ])
    func loopback(_ text: String, _ expected: Bool) {
        #expect(HostAndPort(text)?.isLoopback == expected)
    }
}

@Suite("WebOrigin")
struct WebOriginTests {
    @Test(
        "a scheme's own port may be written or not",
        arguments: [
            ("http://A", "http://a:80"), ("HTTPS://a", "https://a:443"), ("https://[::1]", "https://[0::1]:443"),
            ("vscode-webview://x", "VSCODE-webview://x"), ("null", "null"),
        ])
    func equal(_ left: String, _ right: String) {
        #expect(WebOrigin(left) != nil && WebOrigin(left) == WebOrigin(right))
    }

    @Test(
        "what no browser sends is refused",
        arguments: [
            "", "*", "NULL", "a", "a:1", "://a", "http:/a", "http://", "http://a/", "http://a b", "1a://b", "a b://c",
        ])
    func invalid(_ text: String) {
        #expect(WebOrigin(text) == nil)
    }

    @Test("another scheme, host or port is another origin")
    func different() {
        let origins = ["http://a", "https://a", "http://b", "http://a:81", "null"].compactMap(WebOrigin.init)
        #expect(Set(origins).count == 5)
    }
}
