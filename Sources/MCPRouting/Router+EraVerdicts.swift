internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire

/// What is known of the eras that an upstream speaks, and what follows when it was not true.
extension Router {
    /// What is known of the eras of the command in force.
    var verdict: EraVerdict { verdicts[question] ?? EraVerdict(question.setting) }

    func question(of id: UpstreamID) -> EraQuestion {
        isNextShared(id) ? nextQuestion ?? question : question
    }

    mutating func learn(about id: UpstreamID, _ change: (inout EraVerdict) -> Void) {
        let question = question(of: id)
        var verdict = verdicts[question] ?? EraVerdict(question.setting)
        change(&verdict)
        // Reloads may bring any number of commands.
        if verdicts.count >= 16 { verdicts = verdicts.filter { $0.key == self.question || $0.key == nextQuestion } }
        verdicts[question] = verdict
    }

    mutating func forgetEra(of id: UpstreamID) {
        guard upstreams.read(id, { $0.role }) == .shared else { return }
        verdicts[question(of: id)] = nil
        upstreams.update(id) { $0.opening = .probe }
        guard id == shared else { return }
        // What it said in an era that it may not have any more is shown to nobody.
        let other = second.flatMap { upstreams.read($0) { $0.handshake } ?? nil }
        proven = proven.filter { $0.key == other?.version.era }
    }

    /// One that was known, or asked, to be modern is not.
    mutating func notModern(_ id: UpstreamID, _ how: String, at now: Moment) {
        if isUnproved(second: id) { return secondFailed(how, at: now) }
        if question(of: id).setting == .auto {
            forgetEra(of: id)
            if case .own? = upstreams.read(id, { $0.role }) {
                learn(about: id) { $0.lacks.insert(.modern) }
                return reopen(id, as: .initialize)
            }
        }
        let remedy = question(of: id).setting == .modern ? "; set proxy.upstream.era to auto" : ""
        handshakeFailed(id, "\(how) to server/discover: it speaks no revision of the modern era\(remedy)", at: now)
    }

    /// Whether a refusal of `initialize` says that only the modern era is spoken.
    func isModernOnly(_ refusal: Message, _ id: UpstreamID) -> Bool {
        guard question(of: id).setting == .auto else { return false }
        // What such a server answers is its own choice (basic/versioning, "Backward Compatibility"), so any refusal will
        // do where nothing speaks for the other era.
        return seemsModernOnly || modernOffer(in: refusal)?.contains(ProtocolVersion.modern.text) ?? false
    }

    /// Whether the command in force has been seen in the modern era and never in the legacy one.
    var seemsModernOnly: Bool {
        verdict.lacks.contains(.legacy) || verdict.first == .modern && proven[.legacy] == nil
    }

    /// A session's own process speaks only the modern era. Whether the session goes on in spite of it. One that was only
    /// silent may have been slow: nothing is learnt from that for other sessions.
    mutating func foundModernOnly(_ id: UpstreamID, wasSilent: Bool = false, at now: Moment) -> Bool {
        if !wasSilent { learn(about: id) { $0.lacks.insert(.legacy) } }
        guard case .own(let session)? = upstreams.read(id, { $0.role }) else { return false }
        if snapshot.isDedicated {
            reopen(id, as: .discover)
        } else {
            // A modern upstream asks nothing on its own, so there is no need of a process of its own.
            reassign(session, from: id, to: shared)
            moveWaiting(of: id, otherwise: shared)
            moveListens(from: id, at: now)
            retire(id, at: now)
            if upstreams.read(shared, { $0.phase == .ready }) == true { releaseWaiting(of: shared, at: now) }
        }
        return true
    }

    /// Has a process followed by a fresh one that is told something else first.
    mutating func reopen(_ id: UpstreamID, as opening: UpstreamState.Opening) {
        upstreams.update(id) {
            $0.opening = opening
            $0.phase = .absent
        }
        actions.append(.relaunch(id))
    }

    /// A session's own process refuses the client's `initialize`: the client reads the refusal as it is, and may try
    /// again. False after a restart, when nobody waits for it.
    mutating func passRefusal(_ message: Message, by id: UpstreamID, at now: Moment) -> Bool {
        guard case .own(let session)? = upstreams.read(id, { $0.role }),
            case .initialize(let waiting)? = upstreams.read(id, { $0.waiting.first?.content }) ?? nil,
            let request = take(waiting, at: now)
        else { return false }
        finish(request, with: message, at: now)
        resetInitialize(of: session, at: now)
        return true
    }

    /// The revisions that an UnsupportedProtocolVersionError names; nil for any other message.
    func modernOffer(in message: Message) -> [String]? {
        guard message.scan.kind == .error, JSONText.integer(message.scan[.errorCode], in: message.bytes) == -32022
        else {
            return nil
        }
        let data = message.scan[.errorData]
        let supported = data.isPresent ? JSONText.member("supported", of: data, in: message.bytes) : .absent
        var offered: [String] = []
        if supported.isPresent {
            JSONText.forEachElement(of: supported, in: message.bytes) {
                if let text = JSONText.string($0, in: message.bytes) { offered.append(text) }
            }
        }
        return offered
    }

    /// Foreign texts for our own log: only what a revision can hold.
    static func listing(_ revisions: [String]) -> String {
        let shown = revisions.prefix(8).map { revision in
            String(
                revision.unicodeScalars.prefix(32).filter {
                    $0.isASCII && $0.properties.numericType != nil || $0 == "-"
                })
        }
        return shown.isEmpty ? "it names none" : shown.joined(separator: ", ")
    }
}
