internal import NIOCore

/// Clients that have sent more than their share of a turn stand in line for the next ones.
extension Gateway {
    /// Puts a client in line. Its channel is not read meanwhile: what waits here is bounded by what one read brings.
    func getInLine(_ client: ClientLink) {
        client.pause(.share, true)
        guard !client.isInLine else { return }
        client.isInLine = true
        line.append(client)
        openTurn()
    }

    /// Has the line served after the channels that are ready by now. A loop runs tasks until none is due before it looks
    /// at its channels again, so the line has to be due a moment later.
    func openLine() {
        guard !isLineOpen, !line.isEmpty else { return }
        isLineOpen = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .microseconds(20)) { bound.value.serveLine() }
    }

    private func serveLine() {
        isLineOpen = false
        let waiting = line
        line.removeAll(keepingCapacity: true)
        for client in waiting {
            client.isInLine = false
            // While the gateway ends, nothing is read any more; what is paused comes back when it is not.
            guard clients[client.id] === client, client.mayBeRead else { continue }
            read(client)
        }
    }
}
