import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("The places among max_dedicated")
struct RouterPlacesTests {
    @Test("beyond max_dedicated initialize is refused and the cap named; no process is started before another is gone")
    func cap() throws {
        let harness = RouterHarness.dedicated(max: 1)
        let first = harness.ready("a")
        let second = harness.ready("b")
        let refusal = harness.last(second)
        #expect(Text.path(["error", "code"], refusal) == "-32603")
        #expect(Text.path(["error", "data", "reason"], refusal) == #""overloaded""#)
        #expect(Text.path(["error", "message"], refusal)?.contains("max_dedicated is 1") == true)
        #expect(harness.trail.contains("SESSION_START (no upstream process: max_dedicated is 1)"))
        #expect(harness.trail.last == "RESPONSE 0 overloaded")
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: second)
        #expect(Text.path(["error", "code"], harness.last(second)) == "-32600")
        harness.router.end(first, .endOfInput, at: harness.now)
        harness.perform()
        harness.receive(RouterHarness.initialize(), from: second)
        let own = try #require(harness.router.upstream(of: second))
        #expect(!harness.starts.contains(own), "the former one is still ending")
        harness.router.ownUpstreamStopped()
        harness.perform()
        #expect(harness.starts.last == own)
        harness.start(own)
        #expect(Text.member("result", harness.last(second)) != nil)
    }

    @Test("a session that ends before its process could be started gives its place back")
    func postponedAndGone() throws {
        let harness = RouterHarness.dedicated(max: 1)
        let first = harness.ready("a")
        harness.router.end(first, .endOfInput, at: harness.now)
        let second = harness.ready("b")
        let own = try #require(harness.router.upstream(of: second))
        harness.router.end(second, .endOfInput, at: harness.now)
        harness.perform()
        #expect(!harness.starts.contains(own) && !harness.stops.contains(own))
        let third = harness.ready("c")
        #expect(harness.router.upstream(of: third) != nil)
        let before = harness.starts.count
        harness.router.ownUpstreamStopped()
        harness.perform()
        #expect(harness.starts.count == before + 1)
        #expect(harness.router.counts.ownUpstreams == 1)
    }

    @Test("more places start what waits for one")
    func raised() throws {
        let harness = RouterHarness.dedicated(max: 1)
        let first = harness.ready("a")
        harness.router.end(first, .endOfInput, at: harness.now)
        let second = harness.ready("b")
        let own = try #require(harness.router.upstream(of: second))
        harness.router.adopt(
            RouterHarness.snapshot(RouterHarness.dedicatedSettings(max: 2), generation: 2), at: harness.now)
        harness.perform()
        #expect(harness.starts.last == own)
    }

    @Test(
        "room is made only for an initialize that would get a process",
        arguments: [
            (RouterHarness.initialize(), SessionSharing.dedicated, true),
            (RouterHarness.initialize(), .shared, false),
            (RouterHarness.initialize(capabilities: #"{"roots":{}}"#), .shared, true),
            (#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, .dedicated, false),
            (Modern.request("initialize", id: "1", #""protocolVersion":"2025-11-25""#), .dedicated, false),
            (RouterHarness.call(id: "1", tool: "read"), .dedicated, false),
        ])
    func wantsProcess(text: String, sharing: SessionSharing, wants: Bool) throws {
        let harness = RouterHarness(RouterHarness.dedicatedSettings(sharing))
        harness.start(harness.shared, capabilities: "{}")
        let message = try RouterHarness.message(text)
        let (fresh, ready) = (harness.open(), harness.ready("b"))
        #expect(harness.router.wantsProcess(message, for: fresh) == wants)
        #expect(!harness.router.wantsProcess(message, for: ready), "it has one, or needs none any more")
    }

    @Test("which sessions could give their process up")
    func idleProcess() throws {
        let harness = RouterHarness.dedicated(max: 1)
        let session = harness.ready("a")
        let own = try #require(harness.router.upstream(of: session))
        #expect(!harness.router.hasRoom)
        #expect(harness.router.missingPlaces == 1)
        harness.start(own)
        #expect(harness.router.holdsIdleProcess(session))
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        #expect(!harness.router.holdsIdleProcess(session), "it works")
        harness.router.end(session, .displaced, at: harness.now)
        harness.perform()
        #expect(harness.router.hasRoom)
        #expect(harness.trail.contains("SESSION_END displaced"))
    }
}
