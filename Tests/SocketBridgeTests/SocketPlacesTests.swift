import SocketBridge
import Testing

@Suite("SocketPlaces")
struct SocketPlacesTests {
    @Test(
        "an option beats the environment, which beats the usual places",
        arguments: [
            ("/a", ["GATEKIT_SOCKET": "/b"], ["/a"], true),
            (nil, ["GATEKIT_SOCKET": "/b", "XDG_RUNTIME_DIR": "/run/user/7"], ["/b"], true),
            (
                nil, ["GATEKIT_SOCKET": "", "XDG_RUNTIME_DIR": "/run/user/7"],
                ["/run/gatekit-sockets/mcp.sock", "/run/gatekit/mcp.sock", "/run/user/7/gatekit/mcp.sock"], false
            ),
            (nil, ["XDG_RUNTIME_DIR": ""], ["/run/gatekit-sockets/mcp.sock", "/run/gatekit/mcp.sock"], false),
            (nil, [:], ["/run/gatekit-sockets/mcp.sock", "/run/gatekit/mcp.sock"], false),
        ] as [(String?, [String: String], [String], Bool)])
    func order(_ explicit: String?, _ environment: [String: String], _ paths: [String], _ isNamed: Bool) {
        let places = SocketPlaces(explicit: explicit, environment: environment)
        #expect(places.paths == paths)
        #expect(places.isNamed == isNamed)
    }
}
