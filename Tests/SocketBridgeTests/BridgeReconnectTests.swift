import Testing

@testable import SocketBridge

@Suite("Bridge: the daemon comes back")
struct BridgeReconnectTests {
    static let again = #"client: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#

    static func setLevel(_ id: String, _ level: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"logging/setLevel","params":{"level":"\#(level)"}}"#
    }

    static func subscribe(_ id: String, _ uri: String, un: Bool = false) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"resources/\#(un ? "un" : "")subscribe","params":{"uri":"\#(uri)"}}"#
    }

    @Test("the whole session is made again, and the client sees only that its lists may have changed")
    func wholeSession() {
        var conversation = Conversation.opened()
        for (line, id) in [
            (Self.setLevel("1", "info"), "1"), (Self.setLevel("2", "debug"), "2"),
            (Self.subscribe("3", "b://2"), "3"), (Self.subscribe("4", "a://1"), "4"),
            (Self.subscribe("5", "c://3"), "5"), (Self.subscribe("6", #"c:\/\/3"#, un: true), "6"),
        ] {
            _ = conversation.client(line)
            _ = conversation.daemon(Conversation.result(id))
        }
        #expect(conversation.lost() == ["note", "wake 100"])
        #expect(conversation.woke() == ["connect"])
        #expect(conversation.connected() == ["wake 120000", Conversation.repeated(1)])
        #expect(
            conversation.daemon(Conversation.answer(to: Conversation.own(1))) == [
                "daemon: " + Conversation.initialized,
                "daemon: " + Self.setLevel(Conversation.own(2), "debug"),
                "daemon: " + Self.subscribe(Conversation.own(3), "a://1"),
                "daemon: " + Self.subscribe(Conversation.own(4), "b://2"),
                "note", Self.again,
            ])
        for number in 2...4 { #expect(conversation.daemon(Conversation.result(Conversation.own(number))) == []) }
        #expect(conversation.client(Conversation.call("7")) == ["daemon: \(Conversation.call("7"))"])
        #expect(conversation.daemon(Conversation.result("7")) == ["client: \(Conversation.result("7"))"])
    }

    @Test("what was refused or not answered is not restored")
    func unaccepted() {
        var conversation = Conversation.opened()
        _ = conversation.client(Self.setLevel("1", "loud"))
        _ = conversation.daemon(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#)
        _ = conversation.client(Self.subscribe("2", "a://1"))
        #expect(conversation.reconnect() == ["wake 120000", Conversation.repeated(1)])
        #expect(
            conversation.daemon(Conversation.answer(to: Conversation.own(1))) == [
                "daemon: " + Conversation.initialized, "note", Self.again,
            ])
    }

    @Test("what cannot be restored is said")
    func unrestorable() {
        var conversation = Conversation.opened()
        _ = conversation.client(Self.subscribe("1", "a://1"))
        _ = conversation.daemon(Conversation.result("1"))
        _ = conversation.reconnect()
        _ = conversation.daemon(Conversation.answer(to: Conversation.own(1)))
        let refusal = #"{"jsonrpc":"2.0","id":\#(Conversation.own(2)),"error":{"code":-1,"message":"gone\n"}}"#
        #expect(conversation.daemon(refusal) == ["note"])
        #expect(conversation.notes.last == "the subscription of 'a://1' could not be restored: gone ")
    }

    @Test("requests in flight are answered once, in their order, and never sent again")
    func inFlight() {
        var conversation = Conversation.opened()
        for id in ["1", #""1""#, "1.5e1", #""é""#] { _ = conversation.client(Conversation.call(id)) }
        _ = conversation.client(Conversation.call("9"))
        _ = conversation.client(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#)
        _ = conversation.daemon(Conversation.result(#""1""#))
        #expect(
            conversation.lost() == [
                Conversation.lost("1"), Conversation.lost("1.5e1"), Conversation.lost(#""é""#), "note", "wake 100",
            ])
        _ = conversation.woke()
        #expect(conversation.connected() == ["wake 120000", Conversation.repeated(1)])
        #expect(
            conversation.daemon(Conversation.answer(to: Conversation.own(1))) == [
                "daemon: " + Conversation.initialized, "note", Self.again,
            ])
    }

    @Test("an id that is in flight twice is owed two answers")
    func reusedID() {
        var conversation = Conversation.opened()
        _ = conversation.client(Conversation.call("1"))
        _ = conversation.client(Conversation.call("1"))
        _ = conversation.daemon(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"in use"}}"#)
        #expect(conversation.lost() == [Conversation.lost("1"), "note", "wake 100"])
    }

    @Test("every request of a batch is answered, and of one that the daemon would refuse")
    func batches() {
        var conversation = Conversation.opened()
        _ = conversation.client("[\(Conversation.call("1")),\(Conversation.call("2"))]")
        _ = conversation.client(#"{"jsonrpc":"1.0","id":3,"method":"x"}"#)
        _ = conversation.daemon("[\(Conversation.result("2"))]")
        #expect(conversation.lost() == [Conversation.lost("1"), Conversation.lost("3"), "note", "wake 100"])
    }

    @Test("what comes meanwhile waits, and goes out in its order once the session stands")
    func waiting() {
        var conversation = Conversation.opened()
        _ = conversation.lost()
        #expect(conversation.client(Conversation.call("1")) == [])
        _ = conversation.woke()
        #expect(conversation.client(#"{"jsonrpc":"2.0","method":"x"}"#) == [])
        _ = conversation.connected()
        #expect(conversation.client(Conversation.call("2")) == [])
        #expect(
            conversation.daemon(Conversation.answer(to: Conversation.own(1))).suffix(3) == [
                "daemon: \(Conversation.call("1"))", #"daemon: {"jsonrpc":"2.0","method":"x"}"#,
                "daemon: \(Conversation.call("2"))",
            ])
    }

    @Test("no more than 256 messages wait, and no more than 1 MiB")
    func overload() {
        let overloaded = #""data":{"reason":"overloaded"}}}"#
        var many = Conversation.opened()
        _ = many.lost()
        for number in 0..<256 { #expect(many.client(Conversation.call("\(number)")) == []) }
        #expect(many.client(Conversation.call("256")).first?.hasSuffix(overloaded) == true)
        #expect(many.client(#"{"jsonrpc":"2.0","method":"x"}"#) == ["note"])
        var large = Conversation.opened()
        _ = large.lost()
        let padded = #"{"jsonrpc":"2.0","id":1,"method":"\#(String(repeating: "x", count: 1024 * 1024))"}"#
        #expect(large.client(padded).first?.hasSuffix(overloaded) == true)
        #expect(large.client(Conversation.call("2")) == [])
    }

    @Test("an initialize that was not answered is said again, with what followed it")
    func unansweredInitialize() {
        var conversation = Conversation()
        _ = conversation.start()
        _ = conversation.connected()
        _ = conversation.client(Conversation.initialize)
        _ = conversation.client(Conversation.initialized)
        _ = conversation.client(Conversation.call("1"))
        #expect(conversation.lost() == [Conversation.lost("1"), "note", "wake 100"])
        _ = conversation.woke()
        #expect(
            conversation.connected() == ["daemon: \(Conversation.initialize)", "daemon: \(Conversation.initialized)"])
    }

    @Test("lists are announced as the daemon promised, and not before the client is initialised")
    func announcements() {
        let all = #"{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"listChanged":true}}"#
        for (capabilities, names) in [
            (all, ["tools", "prompts", "resources"]), ("{}", []), (#"{"tools":{"listChanged":false}}"#, []),
        ] {
            var conversation = Conversation.opened(capabilities: capabilities)
            _ = conversation.reconnect()
            let actions = conversation.daemon(
                Conversation.answer(to: Conversation.own(1), capabilities: capabilities))
            #expect(
                actions.filter { $0.hasPrefix("client") }
                    == names.map { #"client: {"jsonrpc":"2.0","method":"notifications/\#($0)/list_changed"}"# })
        }
        var early = Conversation()
        _ = early.start()
        _ = early.connected()
        _ = early.client(Conversation.initialize)
        _ = early.daemon(Conversation.answer(to: "0", capabilities: all))
        _ = early.reconnect()
        #expect(early.daemon(Conversation.answer(to: Conversation.own(1), capabilities: all)) == ["note"])
    }

    @Test(
        "a daemon that offers less ends the session, and one that offers more does not",
        arguments: [
            (Conversation.promised, "2025-06-18", "the daemon now speaks MCP 2025-06-18, this session 2025-11-25"),
            ("{}", "2025-11-25", "logging, resources, tools"),
            (#"{"tools":{},"logging":{},"resources":{"subscribe":true}}"#, "2025-11-25", "tools.listChanged"),
            (
                #"{"tools":{"listChanged":false},"logging":{},"resources":{"subscribe":true}}"#, "2025-11-25",
                "tools.listChanged"
            ),
            (#"{"tools":true,"logging":{},"resources":{"subscribe":true}}"#, "2025-11-25", "tools"),
            (
                #"{"prompts":{},"resources":{"listChanged":true,"subscribe":true},"logging":{"a":1},"#
                    + #""tools":{"listChanged":true}}"#, "2025-11-25", nil
            ),
        ] as [(String, String, String?)])
    func comparison(_ capabilities: String, _ version: String, _ objection: String?) {
        var conversation = Conversation.opened()
        _ = conversation.reconnect()
        _ = conversation.client(Conversation.call("1"))
        let answer = Conversation.answer(to: Conversation.own(1), version: version, capabilities: capabilities)
        let actions = conversation.daemon(answer)
        guard let objection else {
            #expect(actions.last == "daemon: \(Conversation.call("1"))")
            return
        }
        #expect(actions.count == 4)
        #expect(actions.prefix(2) == ["disconnect", "note"])
        #expect(actions[2].hasSuffix(#""data":{"reason":"upstream_unavailable"}}}"#))
        #expect(actions.last == "exit 1")
        let said = conversation.notes.last ?? ""
        for part in objection.split(separator: ", ") { #expect(said.contains(part), "\(said)") }
        #expect(conversation.lost() == [])
    }
}
