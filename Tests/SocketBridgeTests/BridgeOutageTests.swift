import Testing

@testable import SocketBridge

@Suite("Bridge: no daemon")
struct BridgeOutageTests {
    static func unavailable(_ id: String, _ message: String) -> String {
        #"client: {"jsonrpc":"2.0","id":\#(id),"error":{"code":-32603,"message":"\#(message)","#
            + #""data":{"reason":"upstream_unavailable"}}}"#
    }

    /// Lets attempts fail until the bridge does something else than wait; the waits, and what it did then.
    static func exhaust(_ conversation: inout Conversation, _ first: [String]) -> (waits: [Int], end: [String]) {
        var waits: [Int] = []
        var actions = first
        while let wait = actions.last.flatMap({ Int($0.dropFirst("wake ".count)) }),
            actions.last?.hasPrefix("wake") == true
        {
            waits.append(wait)
            conversation.now += wait
            guard conversation.woke() == ["connect"] else { return (waits, ["no attempt"]) }
            actions = conversation.failed()
        }
        return (waits, actions)
    }

    @Test("attempts come after 100 ms, then ever more slowly, and a last one when the patience ends")
    func backoff() {
        var conversation = Conversation.opened(patience: 7000)
        _ = conversation.client(Conversation.call("1"))
        conversation.now = 5000
        let lost = conversation.lost()
        _ = conversation.client(Conversation.call("2"))
        let (waits, end) = Self.exhaust(&conversation, lost)
        #expect(waits == [100, 200, 400, 800, 1600, 2000, 1900])
        #expect(end == ["note", Self.unavailable("2", "the daemon did not come back within 7 s: nobody"), "exit 1"])
    }

    @Test("without patience there is one attempt")
    func noPatience() {
        var lost = Conversation.opened(patience: 0)
        #expect(lost.lost() == ["note", "wake 0"])
        #expect(lost.woke() == ["connect"])
        #expect(lost.failed().last == "exit 1")
        var absent = Conversation(patience: 0)
        _ = absent.start()
        #expect(absent.client(Conversation.initialize) == [])
        #expect(absent.failed() == ["note", Self.unavailable("0", "nobody"), "exit 1"])
        #expect(absent.notes == ["nobody"])
    }

    @Test("a client that has not said initialize yet still learns why there is no daemon")
    func farewell() {
        var conversation = Conversation(patience: 0)
        _ = conversation.start()
        #expect(conversation.failed() == ["note", "wake 500"])
        #expect(
            conversation.client(#"{"jsonrpc":"2.0","id":"d","method":"server/discover"}"#) == [
                #"client: {"jsonrpc":"2.0","id":"d","error":{"code":-32601,"message":"method not found"}}"#
            ])
        #expect(conversation.client(Conversation.initialize) == [Self.unavailable("0", "nobody"), "exit 1"])
        #expect(conversation.client(Conversation.initialize) == [])
    }

    @Test("the farewell is short, and shorter when the input ends")
    func farewellEnds() {
        for end in [{ (c: inout Conversation) in c.woke() }, { c in c.clientEnded() }] {
            var conversation = Conversation(patience: 0)
            _ = conversation.start()
            _ = conversation.failed()
            #expect(end(&conversation) == ["exit 1"])
        }
    }

    @Test("the outage is told once, and a new one again")
    func told() {
        var conversation = Conversation(patience: 1000)
        _ = conversation.start()
        #expect(conversation.failed() == ["note", "wake 100"])
        _ = conversation.woke()
        #expect(conversation.failed() == ["wake 200"])
        _ = conversation.woke()
        _ = conversation.connected()
        #expect(conversation.lost() == ["note", "wake 400"])
        #expect(conversation.notes.first == "no daemon (nobody); looking for one for 1 s")
    }

    @Test("a daemon that accepts and leaves at once does not renew the patience")
    func flapping() {
        var conversation = Conversation.opened(patience: 1000)
        var actions = conversation.lost()
        var rounds = 0
        while actions.last?.hasPrefix("wake") == true, rounds < 100 {
            rounds += 1
            conversation.now += 300
            _ = conversation.woke()
            _ = conversation.connected()
            actions = conversation.lost()
        }
        #expect(rounds == 4)
        #expect(actions.last == "exit 1")
        #expect(conversation.notes.last?.hasSuffix("it accepted the connection and closed it") == true)
    }

    @Test("a connection that stood for a while renews the patience, though the daemon never said a word")
    func silentButSound() {
        var conversation = Conversation(patience: 1000)
        _ = conversation.start()
        _ = conversation.connected()
        conversation.now = 3_600_000
        _ = conversation.client(Conversation.initialize)
        #expect(conversation.lost() == ["note", "wake 100"])
    }

    @Test("a daemon that refuses initialize is asked again until the patience ends")
    func refusing() {
        var conversation = Conversation.opened(patience: 250)
        var actions = conversation.lost()
        var number: Int = 1
        while actions.last?.hasPrefix("wake") == true, number < 100 {
            conversation.now += 100
            _ = conversation.woke()
            _ = conversation.connected()
            let own = Conversation.own(number)
            let refusal = #"{"jsonrpc":"2.0","id":\#(own),"error":{"code":-32603,"message":"not yet"}}"#
            #expect(conversation.daemon(refusal) == ["disconnect"])
            #expect(conversation.daemon(Conversation.result("1")) == [], "nothing counts on a connection that ends")
            number += 1
            actions = conversation.lost()
        }
        #expect(number == 4)
        #expect(
            conversation.notes.last
                == "the daemon did not come back within 250 ms: the daemon refused initialize: not yet")
    }

    @Test("a daemon that never answers initialize ends the session")
    func silent() {
        var conversation = Conversation.opened()
        _ = conversation.reconnect()
        #expect(conversation.woke() == ["disconnect", "note", "exit 1"])
    }

    @Test("a timer that is late does nothing")
    func lateTimer() {
        var conversation = Conversation.opened()
        #expect(conversation.woke() == [])
        #expect(conversation.failed() == [])
        #expect(conversation.connected() == [])
        #expect(conversation.start() == [])
    }

    @Test("end of input during an outage ends it when nothing waits")
    func endOfInput() {
        var idle = Conversation.opened()
        _ = idle.lost()
        #expect(idle.clientEnded() == ["exit 0"])
        var attempting = Conversation.opened()
        _ = attempting.lost()
        _ = attempting.woke()
        #expect(attempting.clientEnded() == ["exit 0"])
        var replaying = Conversation.opened()
        _ = replaying.reconnect()
        #expect(replaying.clientEnded() == ["exit 0"])
        var first = Conversation()
        _ = first.start()
        #expect(first.clientEnded() == [])
        #expect(first.failed() == ["note", "exit 1"])
    }

    @Test("what waits is still sent and answered after the end of input")
    func waitingAtTheEnd() {
        var conversation = Conversation.opened()
        _ = conversation.lost()
        _ = conversation.client(Conversation.call("1"))
        #expect(conversation.clientEnded() == [])
        _ = conversation.woke()
        #expect(conversation.failed().last == "wake 200")
        _ = conversation.woke()
        _ = conversation.connected()
        #expect(
            conversation.daemon(Conversation.answer(to: Conversation.own(1))).suffix(2) == [
                "daemon: \(Conversation.call("1"))", "end input",
            ])
        _ = conversation.daemon(Conversation.result("1"))
        #expect(conversation.lost() == ["exit 0"])
    }
}
