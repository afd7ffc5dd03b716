internal import JSONRPCWire
internal import NIOCore

/// One JSON-RPC batch of a client, until each of its requests has been answered.
struct BatchID: Hashable {
    let number: Int
}

struct Batch {
    let session: SessionID
    let exchange: Exchange
    /// Elements without an answer.
    var open: Int
    /// `[`, then the answers in the order in which they came, separated by commas.
    var answers = ByteBuffer(string: "[")
    var isEmpty = true
    /// Set once every element was taken in: before that, an instant answer must not close the batch.
    var isComplete = false

    mutating func add(_ message: SplicedMessage) {
        if !isEmpty { answers.writeInteger(UInt8(ascii: ",")) }
        message.write(to: &answers)
        isEmpty = false
    }
}

extension Router {
    /// The largest batch that is taken.
    public static var maxBatch: Int { 64 }

    /// One answer of a batch, or none for a request that its client cancelled.
    mutating func settle(_ id: BatchID, with message: SplicedMessage?) {
        guard var batch = batches.removeValue(forKey: id) else { return }
        if let message { batch.add(message) }
        batch.open -= 1
        finish(batch, id)
    }

    mutating func finish(_ batch: Batch, _ id: BatchID) {
        guard batch.isComplete, batch.open == 0 else {
            batches[id] = batch
            return
        }
        guard sessions.contains(batch.session) else { return }
        if !batch.isEmpty {
            var answers = batch.answers
            answers.writeInteger(UInt8(ascii: "]"))
            actions.append(.send(batch.session, SplicedMessage(answers), batch.exchange))
        }
        endExchange(batch.exchange, of: batch.session)
    }
}
