import Testing

@testable import Gateway

@Suite("A client's share of a turn")
struct TurnShareTests {
    @Test("is spent by messages")
    func messages() {
        var share = TurnShare()
        share.begin(turn: 1)
        for _ in 1..<TurnShare.messages { share.spend(bytes: 10) }
        #expect(!share.isSpent)
        share.spend(bytes: 10)
        #expect(share.isSpent)
    }

    @Test("is spent by bytes, and the message that passes the limit was still taken")
    func bytes() {
        var share = TurnShare()
        share.begin(turn: 1)
        share.spend(bytes: TurnShare.bytes - 1)
        #expect(!share.isSpent)
        share.spend(bytes: 5_000_000)
        #expect(share.isSpent)
    }

    @Test("is spent by a batch as by its elements")
    func batches() {
        var share = TurnShare()
        share.begin(turn: 1)
        share.spend(messages: TurnShare.messages)
        #expect(share.isSpent)
    }

    @Test("comes anew with a turn, not with a second reading in one")
    func turns() {
        var share = TurnShare()
        share.begin(turn: 1)
        share.spend(messages: TurnShare.messages)
        share.begin(turn: 1)
        #expect(share.isSpent)
        share.begin(turn: 2)
        #expect(!share.isSpent)
        share.spend(messages: TurnShare.messages - 1)
        #expect(!share.isSpent)
    }
}
