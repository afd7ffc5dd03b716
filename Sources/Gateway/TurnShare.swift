/// How much of one loop turn a client may have, so that one that pours pipelined requests cannot keep the others waiting.
/// What it has sent beyond is read in the next turns, in order.
struct TurnShare {
    /// Messages of one client per turn; a batch counts as its elements.
    static let messages = 64
    /// Bytes of one client per turn. The message that passes this is still taken.
    static let bytes = 256 * 1024

    private var turn: UInt64 = 0
    private var messagesLeft = messages
    private var bytesLeft = bytes

    /// A new turn brings a new share.
    mutating func begin(turn: UInt64) {
        guard turn != self.turn else { return }
        self = TurnShare()
        self.turn = turn
    }

    /// Whether nothing is left in this turn.
    var isSpent: Bool { messagesLeft <= 0 || bytesLeft <= 0 }

    /// Takes one or more messages out of the share.
    mutating func spend(messages: Int = 1, bytes: Int = 0) {
        messagesLeft -= messages
        bytesLeft -= bytes
    }
}
