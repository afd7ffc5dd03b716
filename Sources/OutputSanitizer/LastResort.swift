/// What ends the repetition of the stages on a text that was made to need ever more of it.
enum LastResort {
    /// Deletes every `<`.
    ///
    /// - Returns: how many there were.
    static func removeAngles(_ text: RawSpan, into rewriter: inout Rewriter) -> Int {
        removeAll("<", from: text, into: &rewriter)
    }

    /// Deletes every `[`.
    ///
    /// - Returns: how many there were.
    static func removeBrackets(_ text: RawSpan, into rewriter: inout Rewriter) -> Int {
        removeAll("[", from: text, into: &rewriter)
    }

    private static func removeAll(
        _ character: Unicode.Scalar, from text: RawSpan, into rewriter: inout Rewriter
    ) -> Int {
        var count = 0
        var offset = 0
        while let place = Spelling.find(character, in: text, from: offset, &rewriter.bytesRead) {
            rewriter.remove(place.start, place.end, in: text)
            count += 1
            offset = place.end
        }
        return count
    }
}
