public import NIOCore

/// What is done to a text, in this order.
public struct SanitizerStages: OptionSet, Hashable, Sendable {
    /// One bit a stage.
    public let rawValue: UInt8

    /// A set from its bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Deletes scalars that nobody sees, and makes a plain space of U+00A0.
    public static let invisible = SanitizerStages(rawValue: 1)
    /// Takes HTML out and makes plain text of Markdown's images and links.
    public static let markup = SanitizerStages(rawValue: 2)
    /// Writes `text` where the info string of a code fence poses as a role or an instruction.
    public static let codeFences = SanitizerStages(rawValue: 4)
    /// What runs unless the operator chose.
    public static let all: SanitizerStages = [.invisible, .markup, .codeFences]
}

/// What the operator decided about ``OutputSanitizer``; part of a snapshot.
public struct SanitizerOptions: Hashable, Sendable {
    /// Which stages run; none of them leaves every text as it is.
    public var stages: SanitizerStages

    /// All stages unless said otherwise.
    public init(stages: SanitizerStages = .all) {
        self.stages = stages
    }
}

/// How much each stage took out of one response. Numbers only: what was removed is never kept.
public struct RemovalCounts: Hashable, Sendable {
    /// Scalars that were deleted or became a space.
    public var invisible = 0
    /// Tags, comments, images and links, and single `<` and `[` that were deleted to come to an end.
    public var markup = 0
    /// Info strings that became `text`.
    public var codeFences = 0

    /// Nothing removed.
    public init() {}

    /// Adds what another response lost.
    public mutating func add(_ other: RemovalCounts) {
        invisible += other.invisible
        markup += other.markup
        codeFences += other.codeFences
    }

    /// Of all stages together.
    public var total: Int { invisible + markup + codeFences }
}

/// A response that had to be rewritten.
public struct SanitizedResponse: Hashable, Sendable {
    /// The whole response; all but the changed strings is as it was, byte for byte.
    public var bytes: ByteBuffer
    /// What was taken out. Never all zero.
    public var removed: RemovalCounts
}
