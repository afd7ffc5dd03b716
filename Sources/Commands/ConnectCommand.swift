internal import ArgumentParser
internal import Glibc
internal import SocketBridge
internal import StandardStreams

/// `gatekit connect`: what an MCP client launches to reach a running daemon.
struct ConnectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", _superCommandName: "gatekit",
        abstract:
            "Join stdin and stdout to the running daemon's socket; what an MCP client such as Claude Desktop launches.",
        discussion: """
            The session outlives the daemon's restarts: it connects again, repeats the client's handshake, log level and \
            subscriptions, and tells the client to read its lists again. Requests that were in flight are answered with \
            the error 'connection lost, outcome unknown' and never sent twice; later ones wait. It ends, and says why, \
            when the daemon does not come back, or comes back with less than it had promised.

            Claude Desktop, in ~/.config/Claude/claude_desktop_config.json:

              {
                "mcpServers": {
                  "gatekit": { "command": "/usr/bin/gatekit", "args": ["connect"] }
                }
              }

            Claude Code:

              claude mcp add gatekit -- /usr/bin/gatekit connect

            Without --socket and GATEKIT_SOCKET it looks at /run/gatekit-sockets/mcp.sock (the installed service), \
            /run/gatekit/mcp.sock and $XDG_RUNTIME_DIR/gatekit/mcp.sock. A line may have 64 MiB; the daemon's \
            max_message_bytes is usually less.

            Exit codes: 0 the client ended, 1 no daemon, or none that can go on with the session, 2 usage.
            """)

    @Option(
        name: .long, help: ArgumentHelp("The daemon's socket, as 'proxy.unix.path' has it.", valueName: "path"),
        transform: Self.socketPath)
    var socket: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to look for a daemon, at the start and whenever it has gone away. 0 tries once.",
            valueName: "seconds"),
        transform: Self.seconds)
    var patience = 30.0

    func run() throws {
        guard let descriptors = StdioDescriptors.protect() else {
            FileDescriptorText.write("gatekit connect: stdin and stdout must be open", toError: true)
            throw ExitCode(1)
        }
        var environment: [String: String] = [:]
        for name in ["GATEKIT_SOCKET", "XDG_RUNTIME_DIR"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        let places = SocketPlaces(explicit: socket, environment: environment)
        throw ExitCode(SocketBridge.run(descriptors, places: places, patience: patience))
    }

    private static func socketPath(_ text: String) throws -> String {
        guard !text.isEmpty, text.utf8.count <= SocketPlaces.longestPath else {
            throw ValidationError("'\(text)' is no path of a socket (valid: 1 to \(SocketPlaces.longestPath) bytes)")
        }
        return text
    }

    private static func seconds(_ text: String) throws -> Double {
        guard let seconds = Double(text), seconds >= 0, seconds <= 86_400 else {
            throw ValidationError("'\(text)' is no number of seconds (valid: 0 to 86400)")
        }
        return seconds
    }
}
