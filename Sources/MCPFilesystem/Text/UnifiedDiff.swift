/// The difference of two texts as `git diff` prints it.
enum UnifiedDiff {
    /// How many unchanged lines stand around a change.
    private static let context = 3

    /// The diff, or an empty text when there is no difference. `path` stands behind `a/` and `b/`.
    static func text(path: String, old: [UInt8], new: [UInt8]) -> String {
        guard old != new else { return "" }
        let oldLines = lines(old)
        let newLines = lines(new)
        var numbers: [ArraySlice<UInt8>: Int] = [:]
        func number(_ line: ArraySlice<UInt8>) -> Int {
            if let known = numbers[line] { return known }
            numbers[line] = numbers.count
            return numbers.count - 1
        }
        let steps = LineDifference(old: oldLines.map(number), new: newLines.map(number)).steps
        let name = path.utf8.first == UInt8(ascii: "/") ? String(Substring(path.utf8.dropFirst())) : path
        var output = Array("--- a/\(name)\n+++ b/\(name)\n".utf8)
        var end = 0
        var before = (old: 0, new: 0)
        for hunk in hunks(steps) {
            // What lies between two hunks is kept, hence counts on both sides.
            before.old += hunk.lowerBound - end
            before.new += hunk.lowerBound - end
            let count = counts(steps[hunk])
            append(steps[hunk], before, count, oldLines, newLines, to: &output)
            before.old += count.old
            before.new += count.new
            end = hunk.upperBound
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The ranges of steps to show: each change with its context, those that touch in one.
    private static func hunks(_ steps: [LineDifference.Step]) -> [Range<Int>] {
        var hunks: [Range<Int>] = []
        for (index, step) in steps.enumerated() {
            if case .keep = step { continue }
            let range = max(0, index - context)..<min(steps.count, index + context + 1)
            if let last = hunks.last, last.upperBound >= range.lowerBound {
                hunks[hunks.count - 1] = last.lowerBound..<range.upperBound
            } else {
                hunks.append(range)
            }
        }
        return hunks
    }

    private static func append(
        _ hunk: ArraySlice<LineDifference.Step>, _ start: (old: Int, new: Int), _ count: (old: Int, new: Int),
        _ oldLines: [ArraySlice<UInt8>], _ newLines: [ArraySlice<UInt8>], to output: inout [UInt8]
    ) {
        // A side without lines is named by the line before it (POSIX diff, "Diff -u Output Format").
        func range(_ start: Int, _ count: Int) -> String {
            count == 1 ? "\(start + 1)" : "\(count == 0 ? start : start + 1),\(count)"
        }
        output += "@@ -\(range(start.old, count.old)) +\(range(start.new, count.new)) @@\n".utf8
        for step in hunk {
            switch step {
            case .keep(let old, _): append(" ", oldLines[old], to: &output)
            case .delete(let old): append("-", oldLines[old], to: &output)
            case .insert(let new): append("+", newLines[new], to: &output)
            }
        }
    }

    private static func append(_ sign: String, _ line: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output += sign.utf8
        output += line
        if line.last != UInt8(ascii: "\n") { output += "\n\\ No newline at end of file\n".utf8 }
    }

    private static func counts(_ steps: ArraySlice<LineDifference.Step>) -> (old: Int, new: Int) {
        var old = 0
        var new = 0
        for step in steps {
            switch step {
            case .keep:
                old += 1
                new += 1
            case .delete: old += 1
            case .insert: new += 1
            }
        }
        return (old, new)
    }

    /// The lines, each with its line feed.
    private static func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for (index, byte) in text.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(text[start...index])
            start = index + 1
        }
        if start < text.count { lines.append(text[start...]) }
        return lines
    }
}
