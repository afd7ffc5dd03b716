internal import EraTranslation
internal import Gateway
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore

/// The modern clients of a door, and which of their sessions a request belongs to.
extension HTTPDoor {
    /// The session that a request belongs to, made when there is none. nil when there are too many.
    ///
    /// Two clients may look alike: one address, one token, one description. What asks nothing of its client shares a
    /// session, where that does no harm. A call that may ask, when only a process of its own can, gets a session for
    /// itself, or one of them would be asked for the other.
    func peer(for message: Message, from connection: HTTPConnection, _ identity: HTTPIdentity) -> ModernPeer? {
        let key = ModernPeer.Key(
            address: connection.peerAddress, identity: identity,
            client: Self.clientInfo(of: message, limit: limits.maxClientInfoBytes))
        let known = peers[key] ?? []
        if let asked = gateway.session(askedBy: message, among: known.compactMap(\.id)) {
            return known.first { $0.id == asked }
        }
        let features = Self.features(of: message)
        guard gateway.mayBridgeQuestions, features != [] else {
            return known.first { !$0.mayBeAsked } ?? open(key, declaring: [])
        }
        // Its process was told what its first call declared.
        let free = known.first { peer in
            peer.features == features && !peer.hasOpenExchanges && peer.id.map { gateway.isFree($0) } == true
        }
        return free ?? open(key, declaring: features)
    }

    private static func clientInfo(of message: Message, limit: Int) -> [UInt8] {
        let info = message.scan[.metaClientInfo]
        guard info.isPresent, info.count <= limit else { return [] }
        // The scanner's ranges lie inside the message, so there are bytes.
        return message.bytes.getBytes(at: message.bytes.readerIndex + Int(info.lower), length: info.count) ?? []
    }

    /// What a server may ask the client during this request.
    private static func features(of message: Message) -> ClientFeatures {
        let method = message.scan[.method]
        guard message.scan.kind == .request, method.isPresent,
            let name = JSONText.string(method, in: message.bytes), ModernProtocol.mayNeedInput(name)
        else { return [] }
        let capabilities = message.scan[.metaClientCapabilities]
        return capabilities.isPresent ? ClientFeatures(capabilities, in: message.bytes) : []
    }

    private func open(_ key: ModernPeer.Key, declaring features: ClientFeatures) -> ModernPeer? {
        makeRoom(beside: key)
        let peer = ModernPeer(key, features, door: self)
        // The audit names no session in this era: peer and client identify.
        let name = key.identity.name.map { "\(key.address) token=\($0)" } ?? key.address
        let described = SessionIdentity(
            sessionID: nil, transport: "http", peer: name, clientName: nil, clientVersion: nil)
        guard let id = gateway.connect(described, peer, mayBeAsked: peer.mayBeAsked) else { return nil }
        peer.id = id
        peers[key, default: []].append(peer)
        return peer
    }

    /// Whoever describes itself anew each time must not take everybody's places: of one address and token only so many
    /// sessions stay without an open request, and the oldest of them goes.
    private func makeRoom(beside key: ModernPeer.Key) {
        let idle = peers.values.joined().filter { peer in
            peer.key.address == key.address && peer.key.identity == key.identity && !peer.hasOpenExchanges
                && peer.id.map { gateway.isIdle($0) } == true
        }
        guard idle.count >= limits.maxIdlePeers, let oldest = idle.min(by: { $0.idleSince < $1.idleSince }) else {
            return
        }
        end(oldest)
    }

    func forget(_ peer: ModernPeer) {
        peers[peer.key]?.removeAll { $0 === peer }
        if peers[peer.key]?.isEmpty == true { peers[peer.key] = nil }
    }

    /// Ends a session in a turn of its own: the gateway may be handing over this one's messages.
    func end(_ peer: ModernPeer) {
        guard let id = peer.id else { return }
        let gateway = NIOLoopBound(gateway, eventLoop: gateway.eventLoop)
        gateway.value.eventLoop.execute { gateway.value.sessionEnded(by: id) }
    }

    /// Nothing is kept of a client but what its open requests need, so one that is gone must not take a place for long.
    func endIdlePeers() {
        for peer in peers.values.joined().filter({
            !$0.hasOpenExchanges && seconds - $0.idleSince >= limits.peerTimeout
        }) {
            if let id = peer.id, gateway.isIdle(id) { gateway.sessionEnded(by: id) }
        }
    }

    /// Those whose token is gone.
    func endRevokedPeers() {
        for peer in peers.values.joined().filter({ !rules.admitsStill($0.key.identity) }) {
            if let id = peer.id { gateway.sessionEnded(by: id) }
        }
    }
}
