import Testing

@testable import HTTPDoor

@Suite("How an answer begins")
struct AnswerStateTests {
    struct Case: Sendable {
        var turns: [(count: Int, ended: Bool)]
        var steps: [AnswerState.Step]
    }

    private static let stream = AnswerState.Step.events(begins: true, ends: false)
    private static let more = AnswerState.Step.events(begins: false, ends: false)
    private static let last = AnswerState.Step.events(begins: false, ends: true)

    @Test(
        "a lone answer is JSON, anything else a stream",
        arguments: [
            Case(turns: [(1, true)], steps: [.json]),
            Case(turns: [(0, false), (1, true)], steps: [.wait, .json]),
            Case(turns: [(0, true)], steps: [.nothing]),
            Case(turns: [(1, false), (1, true)], steps: [stream, last]),
            Case(turns: [(2, true)], steps: [.events(begins: true, ends: true)]),
            Case(turns: [(1, false), (0, false), (3, false), (0, true)], steps: [stream, .wait, more, last]),
            Case(turns: [(1, true), (1, false)], steps: [.json, .wait]),
        ])
    func table(example: Case) {
        var state = AnswerState()
        var steps: [AnswerState.Step] = []
        for turn in example.turns { steps.append(state.turn(turn.count, ended: turn.ended)) }
        #expect(steps == example.steps)
    }

    @Test("silence opens the stream once, and the answer then is its last event")
    func silence() {
        var state = AnswerState()
        let begins = [state.silence(), state.silence()]
        #expect(begins == [true, false])
        #expect(state.isStreaming)
        let step = state.turn(1, ended: true)
        #expect(step == .events(begins: false, ends: true))
        let beginsAgain = state.silence()
        #expect(!beginsAgain)
    }
}
