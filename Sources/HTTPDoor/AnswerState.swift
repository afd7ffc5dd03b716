/// How the answer to a POST begins and ends. Its head waits for the first messages: a lone answer is sent as JSON, anything
/// else, and 15 s of silence, opens an event stream.
struct AnswerState {
    private enum Phase {
        case waiting, streaming, done
    }

    /// What to do with the messages that are there.
    enum Step: Hashable {
        case wait
        /// The one message is the whole answer.
        case json
        /// The exchange ended without an answer.
        case nothing
        /// Send the messages as events; first the head of a stream when `begins`, at last its end when `ends`.
        case events(begins: Bool, ends: Bool)
    }

    private var phase = Phase.waiting

    var isStreaming: Bool { phase == .streaming }
    var isDone: Bool { phase == .done }

    /// A turn of the loop brought `count` messages, and the end of the exchange when `ended`.
    mutating func turn(_ count: Int, ended: Bool) -> Step {
        switch phase {
        case .done: return .wait
        case .waiting where ended && count <= 1:
            phase = .done
            return count == 1 ? .json : .nothing
        case .waiting where count == 0: return .wait
        case .streaming where count == 0 && !ended: return .wait
        case .waiting, .streaming:
            let begins = phase == .waiting
            phase = ended ? .done : .streaming
            return .events(begins: begins, ends: ended)
        }
    }

    /// Nothing came for so long that the client should hear that it is still being worked on. True when a stream begins.
    mutating func silence() -> Bool {
        guard phase == .waiting else { return false }
        phase = .streaming
        return true
    }
}
