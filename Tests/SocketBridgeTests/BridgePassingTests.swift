import Testing

@testable import SocketBridge

@Suite("Bridge: while connected")
struct BridgePassingTests {
    @Test(
        "a line passes byte by byte, whatever it is",
        arguments: [
            #" {"jsonrpc": "2.0", "id": 1.0, "method": "ping"} "#,
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#,
            #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"}]"#,
            #"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
            "no json", "[]", "null", #"{"jsonrpc":"2.0","id":77,"result":{}}"#,
        ])
    func untouched(_ line: String) {
        var conversation = Conversation.opened()
        #expect(conversation.client(line) == ["daemon: \(line)"])
        #expect(conversation.daemon(line) == ["client: \(line)"])
    }

    @Test("the first session is opened by the client's own messages")
    func firstSession() {
        var conversation = Conversation()
        #expect(conversation.start() == ["connect"])
        #expect(conversation.client(Conversation.initialize) == [])
        #expect(conversation.connected() == ["daemon: \(Conversation.initialize)"])
        let answer = Conversation.answer(to: "0")
        #expect(conversation.daemon(answer) == ["client: \(answer)"])
        #expect(conversation.client(Conversation.initialized) == ["daemon: \(Conversation.initialized)"])
    }

    @Test("a long answer settles its request by its first bytes, or by its last")
    func longAnswers() {
        var conversation = Conversation.opened()
        let padding = String(repeating: "x", count: 100_000)
        for line in [
            #"{"jsonrpc":"2.0","id":1,"result":{"a":"\#(padding)"}}"#,
            #"{"jsonrpc":"2.0","result":{"a":"\#(padding)"},"id":1}"#,
        ] {
            _ = conversation.client(Conversation.call("1"))
            #expect(conversation.daemon(line) == ["client: \(line)"])
            #expect(conversation.bridge.calls.isEmpty)
        }
    }

    @Test("a request above the cap is answered, and one of the daemon's answers becomes an error")
    func oversize() {
        var conversation = Conversation.opened()
        let tooLarge = #""data":{"reason":"too_large"}}}"#
        #expect(
            conversation.clientOversize(#"{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"a":"xxx"#) == [
                "note",
                #"client: {"jsonrpc":"2.0","id":"big","error":{"code":-32603,"#
                    + #""message":"message is larger than 67108864 bytes","# + tooLarge,
            ])
        _ = conversation.client(Conversation.call("3"))
        #expect(
            conversation.daemonOversize(#"{"jsonrpc":"2.0","id":3,"result":{"a":"xxx"#) == [
                "note",
                #"client: {"jsonrpc":"2.0","id":3,"error":{"code":-32603,"#
                    + #""message":"answer is larger than 67108864 bytes","# + tooLarge,
            ])
        #expect(conversation.bridge.calls.isEmpty)
        #expect(conversation.daemonOversize(#"{"jsonrpc":"2.0","method":"x","params":{"a":"xxx"#) == ["note"])
    }

    @Test("end of input is handed on, and the end comes with the connection's")
    func endOfInput() {
        var conversation = Conversation.opened()
        _ = conversation.client(Conversation.call("1"))
        #expect(conversation.clientEnded() == ["end input"])
        #expect(conversation.daemon(Conversation.result("1")) == ["client: \(Conversation.result("1"))"])
        #expect(conversation.lost() == ["exit 0"])
        #expect(conversation.lost() == [])
    }

    @Test("a call that is lost after the end of input is answered, and the exit code tells")
    func lostAtTheEnd() {
        var conversation = Conversation.opened()
        _ = conversation.client(Conversation.call("1"))
        _ = conversation.clientEnded()
        #expect(conversation.lost() == [Conversation.lost("1"), "exit 1"])
    }

    @Test("nothing goes on when the client takes nothing any more")
    func clientGone() {
        var conversation = Conversation.opened()
        #expect(conversation.clientGone() == ["exit 0"])
        #expect(conversation.daemon(Conversation.result("1")) == [])
        #expect(conversation.client(Conversation.call("1")) == [])
        #expect(conversation.clientGone() == [])
    }
}
