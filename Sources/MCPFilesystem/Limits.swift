/// What one call may cost.
public struct Limits: Hashable, Sendable {
    /// The largest file that is read or written, and the most that one call returns of several; bytes.
    public var maxFileBytes: Int
    /// The most entries of a listing or a tree.
    public var maxEntries: Int
    /// The most entries that a search looks at.
    public var maxSearchedEntries: Int
    /// The most paths that a search finds.
    public var maxMatches: Int
    /// The deepest level of a tree or search below its directory.
    public var maxDepth: Int
    /// The most edits of one call, and the most paths that one call reads.
    public var maxItems: Int

    /// The defaults serve what a model can digest, with room to spare.
    public init(
        maxFileBytes: Int = 10 * 1_048_576, maxEntries: Int = 10_000, maxSearchedEntries: Int = 200_000,
        maxMatches: Int = 1000, maxDepth: Int = 100, maxItems: Int = 1000
    ) {
        self.maxFileBytes = maxFileBytes
        self.maxEntries = maxEntries
        self.maxSearchedEntries = maxSearchedEntries
        self.maxMatches = maxMatches
        self.maxDepth = maxDepth
        self.maxItems = maxItems
    }
}
