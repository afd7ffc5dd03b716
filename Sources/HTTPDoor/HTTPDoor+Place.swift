public import GatewayConfiguration
internal import Glibc
public import NIOCore
internal import NIOPosix

extension HTTPDoor {
    /// An address that has been taken and on which nobody can connect yet, with the TLS that it will speak: what a
    /// reload has in hand before its swap.
    public struct Place: Sendable {
        /// What it was taken for.
        public let settings: HTTPDoorSettings
        let descriptor: Int32
        /// What the socket is bound to.
        let address: SocketAddress
        let tls: TLSContext?

        /// Lets clients connect; they wait until the door is opened.
        public func listen() throws(HTTPDoorError) {
            guard Glibc.listen(descriptor, 1024) == 0 else { throw .system("listen on", settings, errno) }
        }

        /// Gives the address back. Not after it was opened.
        public func release() {
            Glibc.close(descriptor)
        }
    }

    /// Takes the address of `settings` and reads its certificates. A name is looked up on a thread. Fails with an
    /// ``HTTPDoorError``.
    public static func place(_ settings: HTTPDoorSettings, on loop: any EventLoop) -> EventLoopFuture<Place> {
        NIOSingletons.posixBlockingThreadPool.runIfActive(eventLoop: loop) { try take(settings) }
    }

    /// What would keep a door from speaking TLS: a key that does not fit, a certificate that cannot be read. Opens nothing.
    public static func checkFiles(of settings: HTTPDoorSettings) throws(HTTPDoorError) {
        _ = try tls(settings)
    }

    /// What would keep ``change(to:)`` from working.
    public func check(_ next: HTTPDoorSettings) throws(HTTPDoorError) {
        if next.tls != settings.tls { _ = try Self.tls(next) }
        try Self.checkReach(next, address)
    }

    static func tls(_ settings: HTTPDoorSettings) throws(HTTPDoorError) -> TLSContext? {
        guard let files = settings.tls else { return nil }
        do throws(TLSFailure) {
            return try TLSContext(files, now: Glibc.time(nil))
        } catch {
            throw HTTPDoorError(description: "proxy.http.tls: \(error)")
        }
    }

    private static func take(_ settings: HTTPDoorSettings) throws(HTTPDoorError) -> Place {
        let tls = try tls(settings)
        let wanted: SocketAddress
        do {
            wanted = try SocketAddress.makeAddressResolvingHost(settings.host, port: settings.port)
        } catch {
            throw HTTPDoorError(description: "proxy.http.host: cannot look up '\(settings.host)': \(error)")
        }
        try checkReach(settings, wanted)
        let descriptor = try bound(to: wanted, settings)
        var address = wanted
        if let port = port(of: descriptor) { address.port = port }
        return Place(settings: settings, descriptor: descriptor, address: address, tls: tls)
    }

    /// The configuration may have been told a name that it took for this machine's.
    private static func checkReach(_ settings: HTTPDoorSettings, _ address: SocketAddress?) throws(HTTPDoorError) {
        guard settings.tokens == nil, let address, !address.isLoopback else { return }
        throw HTTPDoorError(
            description:
                "proxy.http.host: '\(settings.host)' is \(address.ipAddress ?? "no IP address") and not loopback, "
                + "which needs tokens_file; name 127.0.0.1 or ::1, or add proxy.http.tokens_file")
    }

    /// A socket that does not listen yet.
    private static func bound(to address: SocketAddress, _ settings: HTTPDoorSettings) throws(HTTPDoorError) -> Int32 {
        let family = address.ipAddress?.contains(":") == true ? AF_INET6 : AF_INET
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw .system("make a socket for", settings, errno) }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let result = address.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
        guard result == 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw .system("listen on", settings, code)
        }
        return descriptor
    }

    /// The port of a bound socket, which is the system's choice where 0 was asked for. getsockname(2); the port stands at
    /// the same place in both families' structures.
    private static func port(of descriptor: Int32) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        return withUnsafeBytes(of: &storage) {
            Int(UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }
}

extension SocketAddress {
    /// 127.0.0.0/8, ::1, and the former as IPv6 writes it.
    var isLoopback: Bool {
        guard let text = ipAddress else { return false }
        return text.hasPrefix("127.") || text == "::1" || text.hasPrefix("::ffff:127.")
    }
}
