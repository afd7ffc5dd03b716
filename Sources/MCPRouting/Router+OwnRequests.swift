internal import EraTranslation
internal import GatewayConfiguration
public import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

extension Router {
    /// Asks an upstream something on the gateway's own account; nil when there is no place for it.
    @discardableResult
    mutating func ask(
        _ own: OwnRequest, of upstream: UpstreamID, _ method: String, _ params: ByteBuffer?, at now: Moment
    ) -> PendingID? {
        guard !pending.isFull else {
            ownRequestFailed(own, of: upstream, "too many requests in flight", at: now)
            return nil
        }
        let timeouts = snapshot.settings.timeouts
        let seconds = own.isOpening ? timeouts.connection : timeouts.request
        let timeout = if case .listen = own { UInt64.max } else { seconds.nanoseconds }
        let id = pending.insert(
            Pending(
                owner: .gateway(own), call: AuditEvent.Call(requestID: nil, method: method, tool: nil),
                snapshot: snapshot, admitted: now.monotonic, upstream: upstream, stage: .forwarded,
                timeout: timeout, hardDeadline: timeout == .max ? .max : now.monotonic + timeout),
            now: now.monotonic)
        upstreams.update(upstream) {
            $0.inFlight += 1
            if timeout == .max { $0.listens += 1 }
        }
        actions.append(.forward(upstream, Reply.request(id: id, method: method, params: params)))
        return id
    }

    mutating func ownRequestAnswered(
        _ own: OwnRequest, _ message: Message, by upstream: UpstreamID, at now: Moment
    ) {
        switch own {
        case .discover: discovered(message, by: upstream, at: now)
        case .initialize: initialized(message, by: upstream, at: now)
        case .tools(let page): toolsRead(message, page: page, of: upstream, at: now)
        case .listen:
            upstreams.update(upstream) { $0.ownListen = nil }
            let how = message.scan.kind == .error ? "refused" : "ended"
            actions.append(.log(.info("upstream \(how) the gateway's own subscriptions/listen")))
        case .setLevel, .subscribe, .unsubscribe:
            if message.scan.kind == .error {
                actions.append(.log(.warning("upstream refused the gateway's own \(own.method)")))
            }
        }
    }

    mutating func ownRequestExpired(_ own: OwnRequest, of upstream: UpstreamID, at now: Moment) {
        guard own.isOpening else {
            return ownRequestFailed(own, of: upstream, "no answer within request_timeout", at: now)
        }
        // Both of a pair have had their time: the first began earlier.
        if let rival = upstreams.read(upstream, { $0.rival }) ?? nil {
            part(upstream, rival)
            retire(upstream == shared || upstream == nextShared ? rival : upstream, at: now)
        }
        handshakeFailed(upstream, "did not answer \(own.method) within connection_timeout", at: now)
    }

    /// No usable answer will come.
    mutating func ownRequestFailed(_ own: OwnRequest, of upstream: UpstreamID, _ reason: String, at now: Moment) {
        switch own {
        case .discover where upstreams.read(upstream, { $0.opening }) == .probe:
            return probeSpoilt(upstream, reason, at: now)
        case .discover, .initialize:
            return handshakeFailed(upstream, "did not shake hands: \(reason)", at: now)
        case .tools: toolsNotRead(of: upstream, at: now)
        case .setLevel, .subscribe, .unsubscribe, .listen: break
        }
        actions.append(.log(.warning("the gateway's own \(own.method) failed: \(reason)")))
    }

    // MARK: - The names of its tools

    /// Reads all pages of `tools/list`, after each handshake and each list_changed.
    mutating func readTools(of upstream: UpstreamID, at now: Moment) {
        guard upstreams.read(upstream, { $0.handshake?.hasTools == true }) == true else { return }
        let begins = upstreams.update(upstream) { state in
            guard state.catalog.reading == nil else {
                state.catalog.isStale = true
                return false
            }
            state.catalog.reading = []
            state.catalog.headersRead = [:]
            state.catalog.isStale = false
            return true
        }
        if begins == true { askTools(page: 0, cursor: nil, of: upstream, at: now) }
    }

    private mutating func askTools(page: Int, cursor: String?, of upstream: UpstreamID, at now: Moment) {
        let params: ByteBuffer? =
            if upstreams.read(upstream, { $0.era }) == .modern {
                ownEnvelope(cursor.map { Reply.member("cursor", $0) } ?? ByteBuffer())
            } else {
                cursor.map { Reply.params("cursor", $0) }
            }
        ask(.tools(page: page), of: upstream, MCPMethod.toolsList.rawValue, params, at: now)
    }

    private mutating func toolsRead(_ message: Message, page: Int, of upstream: UpstreamID, at now: Moment) {
        let tools = message.scan[.resultTools]
        guard tools.isPresent, JSONText.kind(of: tools, in: message.bytes) == .array else {
            actions.append(.log(.warning("upstream answered the gateway's own tools/list with no list")))
            return toolsNotRead(of: upstream, at: now)
        }
        var entries: [(name: String, hash: Int)] = []
        JSONText.forEachElement(of: tools, in: message.bytes) { entry in
            guard JSONText.kind(of: entry, in: message.bytes) == .object else { return }
            let range = JSONText.member("name", of: entry, in: message.bytes)
            guard range.isPresent, let name = JSONText.string(range, in: message.bytes) else { return }
            var hasher = Hasher()
            let start = message.bytes.readerIndex + Int(entry.lower)
            hasher.combine(message.bytes.readableBytesView[start..<(start + entry.count)])
            entries.append((name, hasher.finalize()))
        }
        for (tool, annotations) in ToolPage.annotations(in: message) {
            switch annotations {
            case .headers(let headers):
                // The first of two tools with one name counts.
                upstreams.update(upstream) { $0.catalog.headersRead[tool] = $0.catalog.headersRead[tool] ?? headers }
            case .invalid(let reason):
                actions.append(.log(.info("a tool of the upstream has unusable x-mcp-header annotations: \(reason)")))
            }
        }
        let count = upstreams.update(upstream) { state in
            state.catalog.reading?.append(contentsOf: entries)
            return state.catalog.reading?.count ?? 0
        }
        if let cursor = message.string(.resultNextCursor) {
            guard page + 1 < ToolCatalog.maxPages, (count ?? 0) < ToolCatalog.maxTools else {
                actions.append(.log(.warning("upstream's tools/list does not end: gave up reading it")))
                return toolsNotRead(of: upstream, at: now)
            }
            return askTools(page: page + 1, cursor: cursor, of: upstream, at: now)
        }
        let policies = snapshot.policies
        let outcome = upstreams.update(upstream) { state in
            let former = state.catalog.isFormer ? state.catalog.visibleHash(under: policies) : nil
            state.catalog.tools = state.catalog.reading
            state.catalog.headers = state.catalog.headersRead
            state.catalog.reading = nil
            state.catalog.isFormer = false
            let isCurrent = !state.isOutdated && state.drainsUntil == nil
            return (
                isStale: state.catalog.isStale, headers: isCurrent ? state.catalog.headers : nil,
                isNews: former.map { $0 != state.catalog.visibleHash(under: policies) } ?? false
            )
        }
        guard let outcome else { return }
        if upstream != nextShared, let headers = outcome.headers { knownHeaders = headers }
        announceTools(of: upstream)
        // A modern server tells of no change that came with its next process.
        if outcome.isNews { announce(.toolsChanged, to: upstream) }
        if outcome.isStale { return readTools(of: upstream, at: now) }
        readingEnded(of: upstream, at: now)
    }

    private mutating func toolsNotRead(of upstream: UpstreamID, at now: Moment) {
        upstreams.update(upstream) { $0.catalog.reading = nil }
        readingEnded(of: upstream, at: now)
    }

    private mutating func readingEnded(of upstream: UpstreamID, at now: Moment) {
        if upstream == shared { endUnusedShared(at: now) }
        if upstream == nextShared { swapWhenRead(upstream) }
    }

    /// Tells each session whose visible tools differ from what it was last told. One that has never been told anything
    /// has not asked yet either.
    mutating func announceTools(of upstream: UpstreamID) {
        let policies = snapshot.policies
        guard let hash = upstreams.read(upstream, { $0.catalog.visibleHash(under: policies) }) ?? nil else { return }
        for session in members(of: upstream) {
            let isNews = sessions.update(session) { state in
                defer { state.toolsHash = hash }
                return state.toolsHash != nil && state.toolsHash != hash
            }
            if isNews == true {
                actions.append(.send(session, Reply.notification(MCPMethod.toolsChanged.rawValue), .session))
            }
        }
    }

    /// After a swap, prompts and resources may be others: clients are told where the new process has any.
    mutating func announceLists(of upstream: UpstreamID, to moved: Set<SessionID>? = nil) {
        guard let handshake = upstreams.read(upstream, { $0.handshake }) ?? nil else { return }
        for session in members(of: upstream) where moved?.contains(session) ?? true {
            if handshake.hasPrompts {
                actions.append(.send(session, Reply.notification(MCPMethod.promptsChanged.rawValue), .session))
            }
            if handshake.hasResources {
                actions.append(.send(session, Reply.notification(MCPMethod.resourcesChanged.rawValue), .session))
            }
        }
    }

    /// A reload is in force: requests admitted from now on run under `next`.
    public mutating func adopt(_ next: Snapshot, at now: Moment) {
        let old = generations[generations.count - 1]
        let former = snapshot.policies
        snapshot = next
        mostOwnUpstreams = next.settings.upstream.maxDedicated
        startPostponed()
        stateKeys.rotate(to: RequestStateKey(), at: now.monotonic / 1_000_000_000)
        if old.generation != next.generation {
            generations.append((next.generation, 0))
            if old.calls == 0 {
                generations.remove(at: generations.count - 2)
                actions.append(.generationEnded(old.generation))
            }
        }
        endUnusedShared(at: now)
        for upstream in upstreams.ids {
            announceTools(of: upstream)
            guard let catalog = upstreams.read(upstream, { $0.catalog }) else { continue }
            if catalog.visibleHash(under: former) != catalog.visibleHash(under: next.policies) {
                announce(.toolsChanged, to: upstream)
            }
        }
    }
}

extension OwnRequest {
    /// Whether it is the first message to a process.
    var isOpening: Bool {
        switch self {
        case .discover, .initialize: true
        case .setLevel, .subscribe, .unsubscribe, .tools, .listen: false
        }
    }

    /// What the log calls it.
    var method: String {
        switch self {
        case .discover: "server/discover"
        case .initialize: "initialize"
        case .setLevel: "logging/setLevel"
        case .subscribe: "resources/subscribe"
        case .unsubscribe: "resources/unsubscribe"
        case .tools: "tools/list"
        case .listen: "subscriptions/listen"
        }
    }
}
