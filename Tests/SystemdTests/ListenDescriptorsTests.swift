import Glibc
import Testing

@testable import Systemd

@Suite("Sockets that the service manager passes")
struct ListenDescriptorsTests {
    /// A socket that is closed at the end of the test.
    private struct TestSocket: ~Copyable {
        let descriptor: Int32

        init(_ family: Int32, _ type: __socket_type, listening: Bool) throws {
            descriptor = socket(family, Int32(type.rawValue), 0)
            try #require(descriptor >= 0)
            guard listening else { return }
            // Autobind gives an abstract name. unix(7)
            var address = sockaddr()
            address.sa_family = sa_family_t(family)
            let length = socklen_t(family == AF_UNIX ? MemoryLayout<sa_family_t>.size : MemoryLayout<sockaddr_in>.size)
            try #require(bind(descriptor, &address, length) == 0)
            try #require(listen(descriptor, 1) == 0)
        }

        deinit { close(descriptor) }
    }

    private func entry(_ socket: borrowing TestSocket, _ name: String) -> ListenDescriptors.Entry {
        .init(descriptor: socket.descriptor, name: name)
    }

    @Test("are found by name in any order")
    func byName() throws {
        let one = try TestSocket(AF_UNIX, SOCK_STREAM, listening: true)
        let two = try TestSocket(AF_UNIX, SOCK_STREAM, listening: true)
        for entries in [[entry(one, "mcp"), entry(two, "http")], [entry(two, "http"), entry(one, "mcp")]] {
            let passed = try ListenDescriptors(entries: entries)
            #expect(try passed.unixListener(named: "mcp") == one.descriptor)
            #expect(try passed.unixListener(named: "http") == two.descriptor)
            #expect(try passed.unixListener(named: "other") == nil)
        }
    }

    @Test("are closed in children, until the program executes itself anew")
    func closeOnExec() throws {
        let socket = try TestSocket(AF_UNIX, SOCK_STREAM, listening: true)
        #expect(fcntl(socket.descriptor, F_GETFD) == 0)
        let passed = try ListenDescriptors(entries: [entry(socket, "mcp")])
        #expect(fcntl(socket.descriptor, F_GETFD) == FD_CLOEXEC)
        try passed.keepOverExecution()
        #expect(fcntl(socket.descriptor, F_GETFD) == 0)
    }

    @Test(
        "must be listening Unix stream sockets",
        arguments: [
            (AF_UNIX, SOCK_DGRAM, false), (AF_UNIX, SOCK_STREAM, false), (AF_INET, SOCK_STREAM, true),
        ] as [(Int32, __socket_type, Bool)])
    func wrongKind(_ family: Int32, _ type: __socket_type, _ listening: Bool) throws {
        let socket = try TestSocket(family, type, listening: listening)
        let passed = try ListenDescriptors(entries: [entry(socket, "mcp")])
        let error = #expect(throws: ListenDescriptorError.self) { try passed.unixListener(named: "mcp") }
        let text = try #require(error).description
        #expect(text.hasPrefix("descriptor \(socket.descriptor) named 'mcp'"))
        #expect(text.contains("is not a listening Unix stream socket"))
    }

    @Test("two of one name are an error that names both")
    func twice() throws {
        let one = try TestSocket(AF_UNIX, SOCK_STREAM, listening: true)
        let two = try TestSocket(AF_UNIX, SOCK_STREAM, listening: true)
        let passed = try ListenDescriptors(entries: [entry(one, "mcp"), entry(two, "mcp")])
        let error = #expect(throws: ListenDescriptorError.self) { try passed.unixListener(named: "mcp") }
        #expect(try #require(error).description.contains("\(one.descriptor), \(two.descriptor)"))
    }

    @Test("a descriptor that is not open is an error that names it")
    func notOpen() {
        let error = #expect(throws: ListenDescriptorError.self) {
            try ListenDescriptors(entries: [.init(descriptor: 1_000_000, name: "mcp")])
        }
        #expect(error?.description.contains("descriptor 1000000 named 'mcp'") == true)
    }

    @Test("are none without LISTEN_FDS, or when they are another process's")
    func none() async {
        await #expect(processExitsWith: .success) {
            unsetenv("LISTEN_FDS")
            try #expect(ListenDescriptors.received().entries.isEmpty)
            setenv("LISTEN_FDS", "1", 1)
            setenv("LISTEN_PID", "1", 1)
            try #expect(ListenDescriptors.received().entries.isEmpty)
            #expect(getenv("LISTEN_FDS") != nil)
        }
    }

    @Test("LISTEN_FDS that is no number is an error")
    func malformed() async {
        await #expect(processExitsWith: .success) {
            setenv("LISTEN_FDS", "several", 1)
            setenv("LISTEN_PID", "\(getpid())", 1)
            #expect(throws: ListenDescriptorError.self) { try ListenDescriptors.received() }
        }
    }
}
