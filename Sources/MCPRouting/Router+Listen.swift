internal import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// `subscriptions/listen` of the modern era: a request that stays open, and whose stream is its notifications. It has
/// no deadline, belongs to no snapshot, and lives on over restarts and swaps of its upstream.
extension Router {
    mutating func listen(_ incoming: Incoming, at now: Moment) {
        let filter = incoming.message.scan[.paramsNotifications]
        guard filter.isPresent, JSONText.kind(of: filter, in: incoming.message.bytes) == .object else {
            return fail(incoming, code: -32602, "subscriptions/listen without params.notifications", at: now)
        }
        guard incoming.message.bytes.readableBytes <= Self.longestListen else {
            let cap = "subscriptions/listen is kept while it is open: at most \(Self.longestListen) bytes"
            return fail(incoming, .overloaded(cap), at: now)
        }
        forward(incoming, effect: .listen(Listening(incoming.message)), at: now)
    }

    /// A session may have as many open as it may have requests.
    static var longestListen: Int { 65_536 }

    /// A notification that names a subscription: only its own client may have it.
    mutating func subscriptionNotified(_ message: Message, _ method: MethodName, by upstream: UpstreamID) -> SessionID?
    {
        let range = message.scan[.metaSubscriptionID]
        guard let id = request(answered: range, in: message.bytes, by: upstream), let request = pending[id],
            request.stage == .forwarded, let session = request.session, case .listen(let listening) = request.effect
        else { return nil }
        if method.known == .acknowledged {
            // After a restart it is told anew what its client was told long ago.
            if listening.isAcknowledged {
                announceLists(toMoved: request, listening)
                return session
            }
            listening.isAcknowledged = true
            do throws(ProtocolError) {
                // All that was asked for: the gateway itself has promised `tools.listChanged`.
                listening.filter = try SubscriptionFilter(of: listening.message)
            } catch {
                // What the upstream makes of it is its business; the gateway tells nothing of its own.
                listening.filter = SubscriptionFilter()
            }
        }
        var outgoing = SplicedMessage(message.bytes)
        outgoing.replace(range, with: request.id)
        actions.append(.send(session, outgoing, request.exchange))
        return session
    }

    /// `notifications/cancelled` of the upstream: it ends a subscription that a client has open.
    mutating func listenCancelled(_ message: Message, by upstream: UpstreamID, at now: Moment) -> SessionID? {
        let range = message.scan[.paramsRequestID]
        guard range.isPresent, let id = request(answered: range, in: message.bytes, by: upstream),
            let request = pending[id], request.stage == .forwarded, let session = request.session,
            case .listen = request.effect
        else { return nil }
        conclude(
            request, AuditEvent.Failure(code: nil, message: "cancelled by the upstream", reason: "cancelled"),
            result: nil, at: now)
        // A result may still follow it.
        bury(id, at: now)
        var outgoing = SplicedMessage(message.bytes)
        outgoing.replace(range, with: request.id)
        actions.append(.send(session, outgoing, request.exchange))
        leaveUnanswered(request)
        endIfDone(session, at: now)
        return session
    }

    /// Ends a subscription as the specification wants a server to: with a result (patterns/subscriptions, "Graceful
    /// Closure").
    mutating func endListen(_ id: PendingID, _ ending: Ending, at now: Moment) {
        guard let request = pending[id], request.stage != .tombstone else { return }
        conclude(request, nil, result: nil, at: now)
        withdraw(request, id, ending, at: now)
        var result = ByteBuffer(
            string: #"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"#)
        request.id.write(to: &result)
        result.writeString("}}")
        deliver(Reply.result(id: request.id, result), to: request, at: now)
    }

    /// Ends all of a session's: its client sends no more, and would wait for their end.
    mutating func endListens(of session: SessionID, _ ending: Ending, at now: Moment) {
        for id in sessions.read(session, { $0.openRequests }) ?? [] where pending.isListen(id) {
            endListen(id, ending, at: now)
        }
    }

    // MARK: - Other processes

    /// The upstream's process has ended: its subscriptions wait for the next one.
    mutating func suspendListens(of upstream: UpstreamID, at now: Moment) {
        for id in pending.all(where: {
            $0.upstream == upstream && $0.isListen && !$0.isBridged && $0.stage == .forwarded
        }) {
            guard let request = pending[id], let session = request.session,
                case .listen(let listening) = request.effect
            else { continue }
            request.stage = .waiting
            dispatch(.request(id, listening.message), of: session, to: upstream, at: now)
        }
    }

    /// Moves a session's subscriptions to the process that it has now.
    mutating func moveListens(from old: UpstreamID, at now: Moment) {
        for id in pending.all(where: { $0.upstream == old && $0.isListen && $0.stage == .forwarded }) {
            guard let request = pending[id], let session = request.session,
                case .listen(let listening) = request.effect,
                let new = sessions.read(session, { $0.upstream }) ?? nil, new != old
            else { continue }
            if !request.isBridged {
                actions.append(
                    .forward(
                        old, Reply.cancellation(of: Lexeme(integer: id.number), reason: "the server is replaced")))
            }
            // Whether it is bridged at the next one is found out there.
            request.isBridged = false
            request.stage = .waiting
            listening.news = [.toolsChanged, .promptsChanged, .resourcesChanged]
            move(id, to: new)
            dispatch(.request(id, listening.message), of: session, to: new, at: now)
        }
    }

    // MARK: - What the gateway itself tells

    /// Tells the subscribers of an upstream that a list is another one than before.
    mutating func announce(_ method: MCPMethod, to upstream: UpstreamID) {
        for id in pending.all(where: { $0.upstream == upstream && $0.isListen && $0.stage == .forwarded }) {
            guard let request = pending[id], case .listen(let listening) = request.effect, listening.isAcknowledged,
                listening.hears(method)
            else { continue }
            announce(method, to: request)
        }
    }

    private mutating func announce(_ method: MCPMethod, to request: Pending) {
        guard let session = request.session else { return }
        var params = ByteBuffer(string: #"{"_meta":{"io.modelcontextprotocol/subscriptionId":"#)
        request.id.write(to: &params)
        params.writeString("}}")
        actions.append(.send(session, Reply.notification(method.rawValue, params: params), request.exchange))
    }

    /// Those that only the gateway knows, for which no acknowledgement of the next process comes.
    mutating func announceMovedListens(of upstream: UpstreamID) {
        for id in pending.all(where: {
            $0.upstream == upstream && $0.isListen && $0.isBridged && $0.stage == .forwarded
        }) {
            if let request = pending[id], case .listen(let listening) = request.effect {
                announceLists(toMoved: request, listening)
            }
        }
    }

    /// The process that a swap has put in its place may have other lists than the one before.
    mutating func announceLists(toMoved request: Pending, _ listening: Listening) {
        let news = listening.news
        listening.news = []
        for method in news where listening.hears(method) { announce(method, to: request) }
    }
}

/// An open `subscriptions/listen`. Held by its request alone.
final class Listening {
    /// As the client sent it, to be sent again to the next process.
    let message: Message
    /// Whether the client has had its `notifications/subscriptions/acknowledged`.
    var isAcknowledged = false
    /// The lists of which its next process may have others than the one before: to be told when that has taken over.
    var news: [MCPMethod] = []
    /// What its client may be told, from its acknowledgement on. In front of a legacy upstream the gateway itself decides
    /// by it what passes.
    var filter = SubscriptionFilter()
    /// The resources of which it is counted in its session, in front of a legacy upstream.
    var counted: [ExactName] = []

    init(_ message: Message) {
        self.message = message
    }

    /// Whether the client was promised to be told of a list's changes.
    func hears(_ method: MCPMethod) -> Bool {
        switch method {
        case .toolsChanged: filter.toolsListChanged
        case .promptsChanged: filter.promptsListChanged
        case .resourcesChanged: filter.resourcesListChanged
        default: false
        }
    }
}

extension PendingTable {
    func isListen(_ id: PendingID) -> Bool {
        read(id) { $0.isListen } ?? false
    }
}
