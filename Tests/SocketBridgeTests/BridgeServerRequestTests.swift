import Testing

@testable import SocketBridge

@Suite("Bridge: the daemon's own requests")
struct BridgeServerRequestTests {
    static func ask(_ id: String) -> String { #"{"jsonrpc":"2.0","id":\#(id),"method":"roots/list"}"# }

    static func cancelled(_ id: String, _ reason: String = "connection lost") -> String {
        #"client: {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id),"#
            + #""reason":"\#(reason)"}}"#
    }

    static let resumed = Conversation.answer(to: Conversation.own(1))

    @Test("an unanswered one is cancelled when the connection is lost, and its late answer dropped")
    func late() {
        var conversation = Conversation.opened()
        #expect(conversation.daemon(Self.ask("1")) == ["client: \(Self.ask("1"))"])
        #expect(conversation.daemon(Self.ask("2")) == ["client: \(Self.ask("2"))"])
        #expect(conversation.client(Conversation.result("1")) == ["daemon: \(Conversation.result("1"))"])
        #expect(conversation.lost() == [Self.cancelled("2"), "note", "wake 100"])
        #expect(conversation.client(Conversation.result("2")) == [])
        _ = conversation.woke()
        _ = conversation.connected()
        #expect(conversation.client(Conversation.result("2")) == [])
        _ = conversation.daemon(Self.resumed)
        #expect(conversation.client(Conversation.call("3")) == ["daemon: \(Conversation.call("3"))"])
    }

    @Test("an answer that comes after the reconnect is dropped too, once")
    func lateAfterwards() {
        var conversation = Conversation.opened()
        _ = conversation.daemon(Self.ask("1"))
        _ = conversation.reconnect()
        _ = conversation.daemon(Self.resumed)
        #expect(conversation.client(Conversation.result("1")) == [])
        #expect(conversation.daemon(Self.ask("1")) == ["client: \(Self.ask("1"))"])
        #expect(conversation.client(Conversation.result("1")) == ["daemon: \(Conversation.result("1"))"])
    }

    @Test("a new one with the id of an old one gets an id of its own, so that the answers stay apart")
    func renamed() {
        var conversation = Conversation.opened()
        _ = conversation.daemon(Self.ask("1"))
        _ = conversation.reconnect()
        _ = conversation.daemon(Self.resumed)
        let own = Conversation.own(2)
        #expect(conversation.daemon(Self.ask("1.0")) == ["client: \(Self.ask(own))"])
        #expect(conversation.client(Conversation.result("1")) == [], "the old answer")
        #expect(conversation.client(Conversation.result(own)) == ["daemon: \(Conversation.result("1.0"))"])
        #expect(conversation.daemon(Self.ask("1")) == ["client: \(Self.ask("1"))"])
    }

    @Test("the daemon cancels a renamed one under the name that the client knows")
    func renamedAndCancelled() {
        var conversation = Conversation.opened()
        _ = conversation.daemon(Self.ask("1"))
        _ = conversation.reconnect()
        _ = conversation.daemon(Self.resumed)
        _ = conversation.daemon(Self.ask("1"))
        let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"r"}}"#
        #expect(conversation.daemon(cancel) == [Self.cancelled(Conversation.own(2), "r")])
        // A second loss: the client is told by that name again, and an answer under it is late.
        #expect(conversation.lost() == [Self.cancelled(Conversation.own(2)), "note", "wake 100"])
        #expect(conversation.client(Conversation.result(Conversation.own(2))) == [])
    }

    @Test("one that comes before the session stands again is answered at once")
    func duringReplay() {
        var conversation = Conversation.opened()
        _ = conversation.reconnect()
        #expect(conversation.daemon(Self.ask("5")) == ["client: \(Self.ask("5"))"])
        #expect(conversation.client(Conversation.result("5")) == ["daemon: \(Conversation.result("5"))"])
        #expect(conversation.client(Conversation.result("6")) == [])
    }

    @Test("no more than 1024 of them are remembered")
    func bounded() {
        var conversation = Conversation.opened()
        for number in 1...1100 { _ = conversation.daemon(Self.ask("\(number)")) }
        let actions = conversation.lost()
        #expect(actions.count == 1024 + 2)
        #expect(actions.first == Self.cancelled("77"))
    }
}
