import GatewayEvents

/// How the formats print a reload's outcome.
enum ReloadText {
    /// Appends `applied generation 2 config abcd1234 -> ef567890: what changed; …`, or the problems of a refused one.
    static func append(_ outcome: ReloadOutcome, formerHash: String, to out: LineBuffer) {
        JSONText.appendWord(outcome.result.rawValue, limit: PrintedLimit.identity, to: out)
        out.append(" generation ")
        out.append(decimal: outcome.generation)
        out.append(" config ")
        JSONText.appendWord(formerHash, limit: PrintedLimit.identity, to: out)
        out.append(" -> ")
        JSONText.appendWord(outcome.candidateHash, limit: PrintedLimit.identity, to: out)
        let items = outcome.changes + outcome.problems + outcome.notes
        guard !items.isEmpty else { return }
        out.append(": ")
        JSONText.appendFree(items.joined(separator: "; "), limit: PrintedLimit.detail, to: out)
    }

    /// The lists that hold something, each behind what `name` appends for it, as JSON arrays.
    static func appendLists(_ outcome: ReloadOutcome, to out: LineBuffer, name: (StaticString, LineBuffer) -> Void) {
        let lists: [(StaticString, [String])] = [
            ("changes", outcome.changes), ("problems", outcome.problems), ("notes", outcome.notes),
        ]
        for (key, items) in lists where !items.isEmpty {
            name(key, out)
            appendList(items, to: out)
        }
    }

    /// At most ``PrintedLimit/detail`` bytes and one text more; the rest is counted.
    private static func appendList(_ items: [String], to out: LineBuffer) {
        let start = out.count
        var separator: StaticString = "["
        for (index, item) in items.enumerated() {
            out.append(separator)
            separator = ", "
            if out.count - start > PrintedLimit.detail {
                JSONText.append("… and \(items.count - index) more", limit: PrintedLimit.text, to: out)
                break
            }
            JSONText.append(item, limit: PrintedLimit.text, to: out)
        }
        out.append("]")
    }
}

extension ReloadOutcome {
    /// Whether the configuration that was read is in force: status `success`, else `error`.
    var hasSucceeded: Bool { result != .refused }
}
