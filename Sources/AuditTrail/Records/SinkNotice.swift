import GatewayConfiguration
import GatewayEvents

/// What a sink records about itself.
struct SinkNotice {
    /// Nanoseconds since 1970-01-01 UTC.
    var time: Int64
    /// Whose `config` value the record carries.
    var snapshot: Snapshot
    /// What happened.
    var kind: Kind

    enum Kind {
        /// The sink was opened. `version` is the software's.
        case start(version: String, settings: SinkSettings)
        /// The sink is being closed.
        case stop(reason: String)
        /// Events had no record.
        case gap(Gap)
    }

    /// A run of events that a sink could not take. Each has used up a `seq`.
    struct Gap {
        /// The first and the last one's times.
        var first: Int64
        var last: Int64
        var count: UInt64
        /// Why, of the first one.
        var reason: String
    }
}
