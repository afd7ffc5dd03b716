internal import JSONRPCWire
internal import NIOCore

/// What an answer to one of the client's requests changes in what has to be restored after a reconnect.
enum CallEffect {
    case nothing
    /// The request, as it was sent.
    case handshake(Message)
    case level(String)
    case subscribe([UInt8])
    case unsubscribe([UInt8])
}

/// The client's requests that the daemon has not answered.
struct CallsInFlight {
    private struct Call {
        var id: Lexeme
        var effect: CallEffect
        /// Two when the client reused an id that is in flight, which the daemon refuses.
        var count = 1
        var order: UInt64
    }

    private var calls: [RequestID: Call] = [:]
    private var started: UInt64 = 0

    var isFull: Bool { calls.count >= BridgeLimits.calls }
    var isEmpty: Bool { calls.isEmpty }

    mutating func begin(_ id: RequestID, _ lexeme: Lexeme, _ effect: CallEffect) {
        started += 1
        if calls[id] != nil {
            calls[id]?.count += 1
        } else {
            calls[id] = Call(id: lexeme, effect: effect, order: started)
        }
    }

    /// The request was answered; returns what a result of it changes.
    mutating func end(_ id: RequestID, isError: Bool) -> CallEffect {
        guard let call = calls[id] else { return .nothing }
        if call.count > 1 {
            calls[id]?.count -= 1
            // The refusal of the second one says nothing about the first.
            if !isError { calls[id]?.effect = .nothing }
        } else {
            calls[id] = nil
        }
        return isError ? .nothing : call.effect
    }

    /// Whether an answer with this id changes nothing that is restored.
    func isPlain(_ id: RequestID) -> Bool {
        guard case .nothing? = calls[id]?.effect else { return calls[id] == nil }
        return true
    }

    /// The client cancelled the request, so that no answer comes (MCP, cancellation).
    mutating func cancel(_ id: RequestID) {
        calls[id] = nil
    }

    /// All of them, oldest first, and none is left.
    mutating func removeAll() -> [(id: Lexeme, effect: CallEffect)] {
        defer { calls.removeAll() }
        return calls.values.sorted { $0.order < $1.order }
            .flatMap { call in
                [(call.id, call.effect)] + Array(repeating: (call.id, CallEffect.nothing), count: call.count - 1)
            }
    }
}
