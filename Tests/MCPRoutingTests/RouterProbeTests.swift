import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("Finding out which era an upstream speaks")
struct RouterProbeTests {
    static let initialized =
        #"{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"u","version":"1"}}"#

    private func harness(_ era: UpstreamEra = .auto) -> RouterHarness {
        RouterHarness(RouterHarness.settings { $0.upstream.era = era })
    }

    @Test("server/discover comes first, with our own envelope and no capabilities; a discover result is enough")
    func modern() throws {
        let harness = harness()
        let first = harness.shared
        harness.spawn(first)
        let probe = try #require(harness.forwarded[first]?.first)
        #expect(Text.member("method", probe) == #""server/discover""#)
        let meta = ["params", "_meta"]
        #expect(Text.path(meta + ["io.modelcontextprotocol/protocolVersion"], probe) == #""2026-07-28""#)
        #expect(Text.path(meta + ["io.modelcontextprotocol/clientCapabilities"], probe) == "{}")
        #expect(Text.path(meta + ["io.modelcontextprotocol/clientInfo", "name"], probe) == #""gatekit""#)
        harness.answer("server/discover", of: first, Modern.discovered())
        #expect(harness.shared == first)
        #expect(harness.router.sharedUpstream.isReady)
        #expect(harness.router.sharedUpstream.revision == "2026-07-28")
        #expect(harness.starts.count == 1)
        #expect(!(harness.forwarded[first] ?? []).contains { $0.contains("notifications/initialized") })
    }

    @Test(
        "any other answer shows a legacy server, which is told initialize in a fresh process",
        arguments: [
            #""error":{"code":-32601,"message":"no"}"#, #""error":{"code":-32602,"message":"no"}"#,
            #""error":{"code":0,"message":"no"}"#,
            #""error":{"code":-32022,"message":"no","data":{"supported":["2025-11-25"]}}"#,
            #""error":{"code":-32022,"message":"no"}"#,
            #""error":{"code":-32022,"message":"no","data":{"supported":7}}"#,
            #""error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}"#,
            #""result":{}"#, #""result":[]"#, #""result":{"supportedVersions":["2025-11-25"],"capabilities":{}}"#,
            #""result":{"supportedVersions":"2026-07-28","capabilities":{}}"#,
            #""result":{"supportedVersions":["2026-07-28"]}"#,
        ])
    func legacy(answer: String) throws {
        let harness = harness()
        let first = harness.shared
        harness.spawn(first)
        harness.reply(to: "server/discover", of: first, answer)
        let second = harness.shared
        #expect(second != first)
        #expect(harness.stops == [first])
        harness.spawn(second)
        let opening = try #require(harness.forwarded[second]?.first)
        #expect(Text.member("method", opening) == #""initialize""#)
        harness.answer("initialize", of: second, Self.initialized)
        #expect(harness.router.sharedUpstream.isReady)
        #expect(harness.logs.contains { $0.contains("it speaks the legacy era") })
        // A result that is none is a server's mistake; an error is not.
        #expect(harness.trail.contains { $0.hasPrefix("INVALID_MESSAGE") } == answer.hasPrefix(#""result"#))
        let session = harness.ready()
        #expect(Text.member("result", harness.last(session)) != nil)
    }

    @Test("a server of later revisions only is failed with their names, and never told initialize")
    func future() throws {
        let harness = harness()
        harness.spawn(harness.shared)
        harness.reply(
            to: "server/discover", of: harness.shared,
            #""error":{"code":-32022,"message":"no","data":{"supported":["2027-01-01","\u001b[31m2028"],"requested":"x"}}"#
        )
        let failure = try #require(harness.router.sharedUpstream.failure)
        #expect(failure.contains("2027-01-01"))
        #expect(!failure.contains("\u{1b}"))
        #expect(harness.starts.count == 1)
    }

    @Test("silence shows nothing: after 3 s a second process is told initialize, and the first is kept")
    func silence() throws {
        let harness = harness()
        let first = harness.shared
        harness.spawn(first)
        harness.advance(2.9)
        #expect(harness.starts.count == 1)
        harness.advance(0.1)
        #expect(harness.starts.count == 2)
        #expect(harness.shared == first)
        #expect(harness.stops.isEmpty)
        harness.advance(5)
        #expect(harness.starts.count == 2, "one rival is enough")
    }

    @Test("the first of the two to answer stays, the other is ended", arguments: Era.allCases)
    func race(winner: Era) throws {
        let harness = harness()
        let first = harness.shared
        let waiting = harness.ready()
        harness.spawn(first)
        harness.advance(3)
        let rival = try #require(harness.starts.last)
        harness.spawn(rival)
        if winner == .legacy {
            harness.answer("initialize", of: rival, Self.initialized)
            #expect(harness.shared == rival)
            #expect(harness.stops == [first])
            #expect(Text.member("result", harness.last(waiting)) != nil)
            #expect(harness.router.upstream(of: waiting) == rival)
        } else {
            harness.answer("server/discover", of: first, Modern.discovered())
            #expect(harness.shared == first)
            #expect(harness.stops == [rival])
            // Nothing says that it lacks the legacy era: it is asked.
            let second = try #require(harness.starts.last)
            #expect(harness.router.upstream(of: waiting) == second)
            harness.spawn(second)
            harness.answer("initialize", of: second, Self.initialized)
            #expect(Text.member("result", harness.last(waiting)) != nil)
        }
    }

    @Test("answers that come late or twice change nothing, are audited and logged")
    func late() throws {
        let harness = harness()
        let first = harness.shared
        harness.spawn(first)
        let probe = try #require(harness.lastID(of: "server/discover", at: first))
        harness.reply(to: "server/discover", of: first, #""error":{"code":-32601,"message":"no"}"#)
        let second = harness.shared
        harness.spawn(second)
        harness.answer("initialize", of: second, Self.initialized)
        harness.receive(#"{"jsonrpc":"2.0","id":\#(probe),"result":\#(Modern.discovered())}"#, from: first)
        #expect(harness.shared == second)
        #expect(harness.trail.last == "INVALID_MESSAGE upstream answer to no request")
        #expect(harness.logs.last?.contains("late") == true)
        let opening = try #require(harness.lastID(of: "initialize", at: second))
        harness.receive(#"{"jsonrpc":"2.0","id":\#(opening),"result":{"protocolVersion":"1999"}}"#, from: second)
        #expect(harness.router.sharedUpstream.isReady)
        #expect(harness.logs.last?.contains("second answer") == true)
    }

    @Test(
        "garbage in the place of an answer is a legacy server's",
        arguments: [
            #"{"jsonrpc":"2.0","id":ID,"result":{"supportedVersions":[],"supportedVersions":[]}}"#,
            #"{"jsonrpc":"2.0","id":ID,"result":{"Capabilities":{}}}"#,
        ])
    func garbage(line: String) throws {
        let harness = harness()
        let first = harness.shared
        harness.spawn(first)
        let probe = try #require(harness.lastID(of: "server/discover", at: first))
        harness.receive("hello, I am a server", from: first)
        #expect(harness.shared == first)
        harness.receive(line.replacing("ID", with: "\(probe)"), from: first)
        #expect(harness.shared != first)
        #expect(harness.logs.contains { $0.contains("cannot be used") })
    }

    @Test("a process that exits upon the probe is followed by one that is told initialize")
    func exits() throws {
        let harness = harness()
        let first = harness.shared
        harness.spawn(first)
        harness.exit(first)
        harness.spawn(first)
        #expect(Text.member("method", try #require(harness.forwarded[first]?.last)) == #""initialize""#)
        #expect(harness.starts.count == 1, "its supervisor starts it again")
    }

    @Test("without any answer the attempt fails after connection_timeout, both processes with it")
    func timeout() throws {
        let harness = harness()
        let first = harness.shared
        let session = harness.ready()
        harness.spawn(first)
        harness.advance(3)
        let rival = try #require(harness.starts.last)
        harness.spawn(rival)
        for _ in 0..<28 { harness.advance(1) }
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""upstream_unavailable""#)
        #expect(harness.stops == [rival])
        #expect(harness.router.sharedUpstream.failure?.contains("connection_timeout") == true)
    }

    @Test("the configuration skips the probe", arguments: [UpstreamEra.legacy, .modern])
    func chosen(era: UpstreamEra) throws {
        let harness = harness(era)
        harness.spawn(harness.shared)
        let opening = try #require(harness.forwarded[harness.shared]?.first)
        #expect(
            Text.member("method", opening) == (era == .legacy ? #""initialize""# : #""server/discover""#))
        harness.advance(5)
        #expect(harness.starts.count == 1)
        if era == .modern {
            harness.reply(to: "server/discover", of: harness.shared, #""error":{"code":-32601,"message":"no"}"#)
            #expect(harness.router.sharedUpstream.failure?.contains("modern era") == true)
            #expect(harness.starts.count == 1)
        }
    }

    @Test("what was found out holds for the next process, and over a reload with the same command")
    func cached() throws {
        let harness = harness()
        harness.spawn(harness.shared)
        harness.reply(to: "server/discover", of: harness.shared, #""error":{"code":-32601,"message":"no"}"#)
        harness.spawn(harness.shared)
        harness.answer("initialize", of: harness.shared, Self.initialized)
        harness.exit(harness.shared)
        harness.spawn(harness.shared)
        #expect(Text.member("method", try #require(harness.forwarded[harness.shared]?.last)) == #""initialize""#)
        harness.answer("initialize", of: harness.shared, Self.initialized)
        func opening(command: [String], generation: Int) throws -> String? {
            let settings = RouterHarness.settings {
                $0.upstream.era = .auto
                $0.upstream.command = command
            }
            let next = RouterHarness.snapshot(settings, generation: generation)
            harness.router.replaceShared(for: next, at: harness.now)
            harness.perform()
            let id = try #require(harness.starts.last)
            harness.spawn(id)
            let method = harness.forwarded[id]?.first.flatMap { Text.member("method", $0) }
            harness.router.abandonSwap("enough", at: harness.now)
            harness.perform()
            return method
        }
        #expect(try opening(command: ["true"], generation: 2) == #""initialize""#)
        #expect(try opening(command: ["false"], generation: 3) == #""server/discover""#)
    }

    @Test("a reload's next process is probed too; its rival takes the swap over")
    func swap() throws {
        let harness = harness(.legacy)
        harness.start()
        let old = harness.shared
        let next = RouterHarness.snapshot(RouterHarness.settings { $0.upstream.era = .auto }, generation: 2)
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        let probed = try #require(harness.starts.last)
        harness.spawn(probed)
        harness.advance(3)
        let rival = try #require(harness.starts.last)
        #expect(harness.router.isNextShared(rival) && harness.router.isNextShared(probed))
        harness.spawn(rival)
        harness.answer("initialize", of: rival, Self.initialized)
        #expect(harness.shared == rival)
        #expect(Set(harness.stops) == [probed, old])
    }
}
