/// The policies of one snapshot, in the order in which they look at a message. Immutable, so that any thread may ask.
public struct PolicyChain: Sendable {
    /// An empty chain: everything passes and nothing is stamped.
    public init() {}
}
