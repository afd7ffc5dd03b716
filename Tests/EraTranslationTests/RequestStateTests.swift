import JSONRPCWire
import EraTranslation
import Testing

@Suite("RequestStateKeys")
struct RequestStateTests {
    private static let binding = RequestBinding(method: "tools/call", target: "x")
    private static let state = RequestState(callID: 0x0102_0304_0506_0708, caller: "alice", request: binding)

    private static func key(_ byte: UInt8) throws -> RequestStateKey {
        try #require(RequestStateKey([UInt8](repeating: byte, count: RequestStateKey.byteCount)))
    }

    private func keys(lifetime: UInt64 = 60) throws -> RequestStateKeys {
        RequestStateKeys(try Self.key(1), lifetime: lifetime)
    }

    private func refusal(
        _ text: String, by keys: RequestStateKeys, caller: String = "alice", request: RequestBinding = binding,
        at now: UInt64 = 100
    ) -> RequestStateError? {
        do {
            _ = try keys.verify(text, caller: caller, request: request, at: now)
            return nil
        } catch { return error }
    }

    @Test("gives back the id of the open call until the state expires")
    func lifetime() throws {
        var keys = try keys()
        let text = keys.issue(Self.state, at: 100)
        #expect(text.utf8.count == 92)
        #expect(try keys.verify(text, caller: "alice", request: Self.binding, at: 100) == Self.state.callID)
        #expect(try keys.verify(text, caller: "alice", request: Self.binding, at: 159) == Self.state.callID)
        #expect(refusal(text, by: keys, at: 160) == .expired)
        #expect(refusal(text, by: keys, at: .max) == .expired)
    }

    @Test("does not overflow at the end of time")
    func overflow() throws {
        var keys = try keys(lifetime: .max)
        let text = keys.issue(Self.state, at: .max - 1)
        #expect(refusal(text, by: keys, at: .max - 1) == nil)
    }

    @Test("tells a foreign caller or request")
    func foreign() throws {
        var keys = try keys()
        let text = keys.issue(Self.state, at: 100)
        #expect(refusal(text, by: keys, caller: "bob") == .foreign)
        #expect(refusal(text, by: keys, caller: "") == .foreign)
        for (method, target) in [("tools/call", "y"), ("prompts/get", "x"), ("tools/callx", ""), ("tools", "/callx")] {
            #expect(refusal(text, by: keys, request: RequestBinding(method: method, target: target)) == .foreign)
        }
        // The same characters in other bytes are another caller.
        let composed = keys.issue(
            RequestState(callID: 1, caller: "\u{E9}", request: Self.binding), at: 100)
        #expect(refusal(composed, by: keys, caller: "\u{E9}") == nil)
        #expect(refusal(composed, by: keys, caller: "e\u{301}") == .foreign)
    }

    @Test("notices any changed bit")
    func forged() throws {
        var keys = try keys()
        let text = Array(keys.issue(Self.state, at: 100).utf8)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for index in text.indices {
            let value = try #require(alphabet.firstIndex(of: text[index]))
            for bit in 0..<6 {
                var changed = text
                changed[index] = alphabet[value ^ 1 << bit]
                let refusal = refusal(String(decoding: changed, as: UTF8.self), by: keys)
                #expect(refusal == .forged || refusal == .malformed)
            }
        }
    }

    @Test(
        "tells what is no state at all",
        arguments: [
            "", "s", "AQ", String(repeating: "A", count: 91), String(repeating: "A", count: 92),
            String(repeating: "A", count: 93), String(repeating: "é", count: 46), String(repeating: "=", count: 92),
            String(repeating: "+", count: 92), String(repeating: "A", count: 1_000_000),
        ])
    func malformed(text: String) throws {
        #expect(refusal(text, by: try keys()) == .malformed)
    }

    @Test("does not take a state of another process")
    func otherKey() throws {
        var mine = try keys()
        var others = RequestStateKeys(try Self.key(2), lifetime: 60)
        #expect(refusal(others.issue(Self.state, at: 100), by: mine) == .forged)
        var random = RequestStateKeys(RequestStateKey(), lifetime: 60)
        #expect(
            refusal(random.issue(Self.state, at: 100), by: RequestStateKeys(RequestStateKey(), lifetime: 60)) != nil)
        #expect(refusal(mine.issue(Self.state, at: 100), by: mine) == nil)
    }

    @Test("verifies by former keys until their last state has expired")
    func rotation() throws {
        var keys = try keys()
        let first = keys.issue(Self.state, at: 100)
        let last = keys.issue(Self.state, at: 130)
        #expect(keys.rotate(to: try Self.key(2), at: 140))
        let second = keys.issue(Self.state, at: 141)
        #expect(keys.rotate(to: try Self.key(3), at: 150))
        for text in [first, last, second] { #expect(refusal(text, by: keys, at: 150) == nil) }
        #expect(refusal(first, by: keys, at: 160) == .expired)
        #expect(refusal(last, by: keys, at: 160) == nil)
        // The first key's last state has expired at 190, the second's at 201.
        #expect(keys.rotate(to: try Self.key(4), at: 190))
        #expect(refusal(last, by: keys, at: 190) == .forged)
        #expect(refusal(second, by: keys, at: 190) == nil)
    }

    @Test("keeps the current key rather than forget one that is needed")
    func manyRotations() throws {
        var keys = try keys()
        let first = keys.issue(Self.state, at: 100)
        for round in 0..<RequestStateKeys.maxPrevious {
            #expect(keys.rotate(to: try Self.key(UInt8(round + 2)), at: 100))
            _ = keys.issue(Self.state, at: 100)
        }
        #expect(!keys.rotate(to: try Self.key(99), at: 100))
        #expect(refusal(first, by: keys) == nil)
        // Keys that signed nothing are not kept, so reloads alone fill nothing.
        #expect(keys.rotate(to: try Self.key(99), at: 160))
        for _ in 0..<1000 { #expect(keys.rotate(to: try Self.key(100), at: 160)) }
    }

    @Test(
        "reads what a retry must repeat",
        arguments: [
            ("tools/call", #"{"name":"x","uri":"u"}"#, "x"), ("prompts/get", #"{"name":"p"}"#, "p"),
            ("resources/read", #"{"name":"x","uri":"u"}"#, "u"), ("tools/call", "{}", ""),
            ("tools/call", #"{"name":7}"#, ""),
        ])
    func binding(method: String, params: String, target: String) throws {
        #expect(RequestBinding(of: try request(method, params)) == RequestBinding(method: method, target: target))
    }

    @Test(
        "takes the same arguments however they are written",
        arguments: [
            (#"{"a":1,"b":[true,{"c":"é"}]}"#, #"{ "b" : [ true , {"c":"\u00e9"} ] , "a" : 1 }"#), ("{}", " { } "),
            (#"{"a":{"x":1,"y":2}}"#, #"{"a":{"y":2,"x":1}}"#), (#"{"a":"\ud800"}"#, #"{"a":"\ud800"}"#),
        ])
    func sameArguments(_ one: String, _ other: String) throws {
        let first = RequestBinding(of: try request("tools/call", #"{"name":"x","arguments":\#(one)}"#))
        #expect(first == RequestBinding(of: try request("tools/call", #"{"arguments":\#(other),"name":"x"}"#)))
    }

    @Test(
        "takes no others",
        arguments: [
            #"{}"#, #"{"a":1}"#, #"{"a":2}"#, #"{"a":"1"}"#, #"{"a":[1]}"#, #"{"a":[[1]]}"#, #"{"a":1,"b":1}"#,
            #"{"a":{"b":1}}"#, #"{"a":[1,2]}"#, #"{"a":[2,1]}"#, #"{"a":null}"#, #"{"a":"é"}"#, #"{"a":"e\u0301"}"#,
        ])
    func otherArguments(_ arguments: String) throws {
        let binding = RequestBinding(of: try request("tools/call", #"{"name":"x","arguments":\#(arguments)}"#))
        for other in [#"{"a":1.0}"#, #"{"b":1}"#, #"{"a":[1],"b":[]}"#, #"{"a":true}"#] {
            #expect(binding != RequestBinding(of: try request("tools/call", #"{"name":"x","arguments":\#(other)}"#)))
        }
        #expect(binding != RequestBinding(of: try request("tools/call", #"{"name":"x"}"#)))
    }

    @Test("takes keys of 32 bytes only, and tells the client nothing of the reason")
    func keyLength() {
        for count in [0, 31, 33] { #expect(RequestStateKey([UInt8](repeating: 1, count: count)) == nil) }
        for error in [RequestStateError.malformed, .forged, .expired, .foreign, .used] {
            #expect(
                error.reply.reply(to: Lexeme(integer: 1))
                    == RequestStateError.forged.reply.reply(to: Lexeme(integer: 1)))
            #expect(error.reply.code == -32602)
        }
    }
}
