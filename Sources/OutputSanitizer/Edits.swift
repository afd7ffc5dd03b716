internal import JSONRPCWire

/// Stretches of a text in its order, and what comes in their place.
///
/// Kept in two arrays, however many there are: a hostile response consists of strings that all have to change.
struct Edits {
    private struct Entry {
        /// In the text.
        var range: ByteRange
        /// In ``bytes``.
        var replacement: ByteRange
    }

    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    /// How many bytes longer the text becomes.
    private(set) var growth = 0

    var isEmpty: Bool { entries.isEmpty }

    /// Adds an edit behind all those before.
    mutating func append(_ place: Spelling.Place, _ replacement: [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: replacement)
        entries.append(
            Entry(range: ByteRange(place.start, place.end), replacement: ByteRange(start, bytes.count)))
        growth += replacement.count - (place.end - place.start)
    }

    /// Visits the edits in their order; each replacement is spelled as the content of a JSON string.
    func forEach(_ body: (_ range: ByteRange, _ replacement: RawSpan) -> Void) {
        let all = bytes.span.bytes
        for entry in entries {
            body(entry.range, all.extracting(Int(entry.replacement.lower)..<Int(entry.replacement.upper)))
        }
    }
}
