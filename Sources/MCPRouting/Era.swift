internal import EraTranslation
internal import GatewayConfiguration
internal import JSONRPCWire

/// How two sides of MCP open their conversation.
public enum Era: String, Hashable, Sendable, CaseIterable {
    /// Revisions up to 2025-11-25: `initialize`, then a session with state.
    case legacy
    /// Revision 2026-07-28: every request carries its own envelope in `params._meta`.
    case modern

    /// That of a protocol revision.
    public init(revision: String) {
        self = ProtocolVersion(text: revision).era
    }

    /// The other one.
    var other: Era { self == .legacy ? .modern : .legacy }

    /// The first message by which a process is asked for this era.
    var opening: UpstreamState.Opening { self == .legacy ? .initialize : .discover }
}

/// What is known of the eras that one upstream command speaks; lives on over reloads that keep the command.
struct EraVerdict {
    /// The era of the process that was proved first; nil while none was.
    var first: Era?
    /// The eras that it was asked for and does not speak, or that the configuration forbids.
    var lacks: Set<Era>

    /// Before any process was asked.
    init(_ setting: UpstreamEra) {
        switch setting {
        case .auto:
            first = nil
            lacks = []
        case .legacy:
            first = .legacy
            lacks = [.modern]
        case .modern:
            first = .modern
            lacks = [.legacy]
        }
    }

    /// How the next first process is opened.
    var opening: UpstreamState.Opening { first?.opening ?? .probe }
}

/// What a verdict is about: with another command or setting it has to be found out anew.
struct EraQuestion: Hashable {
    let command: [String]
    let setting: UpstreamEra

    init(_ settings: UpstreamSettings) {
        command = settings.command
        setting = settings.era
    }
}

extension ProtocolVersion {
    /// The modern revision that the gateway speaks to both sides.
    static let modern = ProtocolVersion(text: ModernProtocol.version)

    /// Which era a revision belongs to.
    var era: Era { self == .modern ? .modern : .legacy }
}

extension Message {
    /// Whether it carries the envelope of the modern era, as a whole or in part: those members are in no legacy
    /// message, since their prefix is reserved (basic/index of 2026-07-28, "_meta").
    var hasEnvelope: Bool { ModernProtocol.isCarried(by: self) }
}
