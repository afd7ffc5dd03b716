internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire

/// Processes of sessions that do not answer as was expected of their command's era.
///
/// A session may come before it is known which eras its upstream speaks. Its process is then asked for the session's own
/// era; what that came to is read in the light of what the shared process proves.
extension Router {
    /// Whether a session's own process has refused before anything was proved: nobody knows yet what that means.
    func awaitsProof(_ id: UpstreamID) -> Bool {
        guard case .own? = upstreams.read(id, { $0.role }), question(of: id).setting == .auto else { return false }
        guard verdict.first == nil, let phase = upstreams.read(shared, { $0.phase }) else { return false }
        if case .failed = phase { return false }
        return true
    }

    /// The shared process has shown an era, or that it cannot be started (nil).
    mutating func settleOwnOpenings(_ era: Era?, at now: Moment) {
        for id in upstreams.ids {
            guard case .own? = upstreams.read(id, { $0.role }), upstreams.read(id, { $0.handshake == nil }) == true
            else { continue }
            if let refusal = upstreams.update(
                id,
                { state in
                    defer { state.refusal = nil }; return state.refusal
                }) ?? nil
            {
                if isModernOnly(refusal, id), foundModernOnly(id, at: now) { continue }
                if !passRefusal(refusal, by: id, at: now) {
                    handshakeFailed(id, "answered initialize with an error", at: now)
                }
            } else if era == .legacy, upstreams.read(id, { $0.opening }) == .discover {
                // A legacy server need not answer a first message that it does not know.
                reopen(id, as: .initialize)
            }
        }
    }

    /// Whether it is not the first time that a process ended before it had answered: once may be an accident, while a
    /// server that takes offence does it each time.
    mutating func exitsAgain(_ id: UpstreamID) -> Bool {
        let count = upstreams.update(id) { state in
            state.openingExits += 1
            return state.openingExits
        }
        return count ?? 0 > 1
    }

    /// A session's own process ended before it answered. Its supervisor starts the next one.
    mutating func ownExitedWhileOpening(_ id: UpstreamID, at now: Moment) {
        guard exitsAgain(id), question(of: id).setting == .auto else { return }
        switch upstreams.read(id, { $0.opening }) {
        case .discover where verdict.first != .modern: upstreams.update(id) { $0.opening = .initialize }
        case .initialize where seemsModernOnly && snapshot.isDedicated:
            learn(about: id) { $0.lacks.insert(.legacy) }
            upstreams.update(id) { $0.opening = .discover }
        case .initialize where seemsModernOnly: _ = foundModernOnly(id, at: now)
        default: break
        }
    }

    /// A process has been silent for too long after its first message.
    mutating func openingIsSilent(_ id: UpstreamID, at now: Moment) {
        upstreams.update(id) { $0.silenceDue = nil }
        // One that has shaken hands before is only slow to come back.
        guard upstreams.read(id, { $0.phase == .handshaking && $0.handshake == nil }) == true,
            question(of: id).setting == .auto
        else {
            return
        }
        if id == second { return secondFailed("did not answer when it was asked", at: now) }
        guard case .own? = upstreams.read(id, { $0.role }) else { return }
        switch upstreams.read(id, { $0.opening }) {
        case .discover where verdict.first == .legacy: reopen(id, as: .initialize)
        case .initialize where seemsModernOnly: _ = foundModernOnly(id, wasSilent: true, at: now)
        default: return
        }
        actions.append(
            .log(.info("a session's upstream process did not answer when it was asked: the session is bridged")))
    }
}
