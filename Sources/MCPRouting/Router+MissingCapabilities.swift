internal import EraTranslation
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore

/// What a modern client has not declared, and a legacy upstream asks for all the same.
///
/// A modern server answers such a request with -32021 (basic/index, "Missing required client capability"). A legacy one
/// learns by an error that it may not ask. What it makes of that is its business: a result is passed on, while an error
/// with the code that it was refused by becomes the one that tells the client what to declare.
extension Router {
    /// Notes it with the call that the upstream must mean. With several nobody can say which one it is.
    func noteLacking(_ features: ClientFeatures, on upstream: UpstreamID) {
        guard let (count, place, ghosts) = upstreams.read(upstream, { ($0.busyCount, $0.busySum, $0.ghosts) }),
            count == 1, ghosts == 0, let session = sessions.id(at: place)
        else { return }
        let open = (sessions.read(session) { $0.openRequests } ?? []).compactMap { pending[$0] }.filter {
            $0.upstream == upstream && $0.stage == .forwarded && !$0.isListen
        }
        guard open.count == 1, let request = open.first, request.era == .modern, request.isBridged else { return }
        // What was declared, and withheld from the upstream all the same, the client cannot do anything about.
        request.lacking.formUnion(features.subtracting(request.declared))
    }

    /// The same of a request that is refused unread.
    func noteLacking(_ message: Message, on upstream: UpstreamID) {
        do throws(ProtocolError) {
            noteLacking(try ServerRequest(of: message).features, on: upstream)
        } catch {
            // It asks for nothing that a client could declare.
            return
        }
    }

    /// Whether an upstream passes the refusal of its question on as the end of the call.
    func isRefusalOfQuestion(_ message: Message) -> Bool {
        message.scan.kind == .error && JSONText.integer(message.scan[.errorCode], in: message.bytes) == -32601
    }

    /// Ends a call whose upstream could not do without. It has left the table.
    mutating func finish(_ request: Pending, lacking features: ClientFeatures, at now: Moment) {
        let error = ProtocolError.missingCapability(features)
        conclude(request, AuditEvent.Failure(code: error.code, message: error.message), result: nil, at: now)
        deliver(SplicedMessage(error.reply(to: request.id)), to: request, at: now)
    }
}
