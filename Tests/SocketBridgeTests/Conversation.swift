import JSONRPCWire
import NIOCore

@testable import SocketBridge

/// A bridge under test: events as text in, actions as text out.
///
/// An action reads `client: LINE`, `daemon: LINE`, `connect`, `disconnect`, `end input`, `wake MS`, `note`, `exit CODE`.
struct Conversation {
    static let initialize =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#
    static let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
    static let promised = #"{"tools":{"listChanged":true},"logging":{},"resources":{"subscribe":true}}"#

    var bridge: Bridge
    var now = 0
    /// Whether `note` appears without its text.
    private(set) var notes: [String] = []

    init(patience: Int = 30_000) {
        bridge = Bridge(patience: patience, tag: "t")
    }

    /// A conversation whose session is open.
    static func opened(capabilities: String = promised, patience: Int = 30_000) -> Conversation {
        var conversation = Conversation(patience: patience)
        _ = conversation.start()
        _ = conversation.connected()
        _ = conversation.client(initialize)
        _ = conversation.daemon(answer(to: "0", capabilities: capabilities))
        _ = conversation.client(initialized)
        return conversation
    }

    static func answer(
        to id: String, version: String = "2025-11-25", capabilities: String = promised
    ) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{"protocolVersion":"\#(version)","capabilities":\#(capabilities)}}"#
    }

    static func lost(_ id: String) -> String {
        #"client: {"jsonrpc":"2.0","id":\#(id),"error":{"code":-32603,"message":"connection lost, outcome unknown","#
            + #""data":{"reason":"connection_lost"}}}"#
    }

    static func call(_ id: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"a"}}"#
    }

    static func result(_ id: String) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"# }

    /// The repeated `initialize`, as the daemon gets it under our `number`th id.
    static func repeated(_ number: Int) -> String {
        "daemon: " + initialize.replacing(#""id":0"#, with: #""id":\#(own(number))"#)
    }

    static func own(_ number: Int) -> String { #""gatekit-connect-t-\#(number)""# }

    mutating func start() -> [String] { event { $0.start(now: $1) } }
    mutating func client(_ line: String) -> [String] {
        event { bridge, _ in bridge.clientSent(ByteBuffer(string: line)) }
    }
    mutating func daemon(_ line: String) -> [String] {
        event { bridge, _ in bridge.daemonSent(ByteBuffer(string: line)) }
    }
    mutating func connected() -> [String] { event { $0.connected(now: $1) } }
    mutating func failed(_ reason: String = "nobody") -> [String] { event { $0.connectFailed(reason, now: $1) } }
    mutating func lost() -> [String] { event { $0.daemonLost(now: $1) } }
    mutating func woke() -> [String] { event { bridge, _ in bridge.woke() } }
    mutating func clientEnded() -> [String] { event { bridge, _ in bridge.clientEnded() } }
    mutating func clientGone() -> [String] { event { bridge, _ in bridge.clientGone() } }
    mutating func clientOversize(_ head: String) -> [String] {
        event { bridge, _ in bridge.clientSentOversize(ByteBuffer(string: head)) }
    }
    mutating func daemonOversize(_ head: String) -> [String] {
        event { bridge, _ in bridge.daemonSentOversize(ByteBuffer(string: head)) }
    }

    /// Loses the connection and gets the next one; what that brought after the loss itself.
    mutating func reconnect() -> [String] {
        _ = lost()
        _ = woke()
        return connected()
    }

    private mutating func event(_ body: (inout Bridge, Int) -> Void) -> [String] {
        body(&bridge, now)
        return bridge.takeActions().map { action in
            switch action {
            case .toClient(let message): "client: " + String(buffer: message.rendered())
            case .toDaemon(let message): "daemon: " + String(buffer: message.rendered())
            case .connect: "connect"
            case .disconnect: "disconnect"
            case .endDaemonInput: "end input"
            case .wake(let milliseconds): "wake \(milliseconds)"
            case .note(let text): note(text)
            case .finish(let code): "exit \(code)"
            }
        }
    }

    private mutating func note(_ text: String) -> String {
        notes.append(text)
        return "note"
    }
}
