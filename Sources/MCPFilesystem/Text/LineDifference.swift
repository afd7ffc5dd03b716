/// Which lines differ between two texts (Myers, "An O(ND) Difference Algorithm", 1986).
struct LineDifference {
    /// One step on the way from the old text to the new.
    enum Step: Hashable, Sendable {
        case keep(old: Int, new: Int)
        case delete(old: Int)
        case insert(new: Int)
    }

    /// All lines in their order.
    private(set) var steps: [Step] = []

    /// How many differing lines are sought to be few; beyond, all that lies between the first and the last is exchanged.
    private static let maxDistance = 800

    /// Compares lines; equal ones must have equal numbers.
    init(old: [Int], new: [Int]) {
        var start = 0
        while start < old.count, start < new.count, old[start] == new[start] { start += 1 }
        var oldEnd = old.count
        var newEnd = new.count
        while oldEnd > start, newEnd > start, old[oldEnd - 1] == new[newEnd - 1] {
            oldEnd -= 1
            newEnd -= 1
        }
        steps = (0..<start).map { .keep(old: $0, new: $0) }
        steps += Self.middle(old[start..<oldEnd], new[start..<newEnd])
        steps += (0..<(old.count - oldEnd)).map { .keep(old: oldEnd + $0, new: newEnd + $0) }
    }

    private static func middle(_ old: ArraySlice<Int>, _ new: ArraySlice<Int>) -> [Step] {
        guard let trace = trace(old, new) else {
            return old.indices.map { .delete(old: $0) } + new.indices.map { .insert(new: $0) }
        }
        // Back from the end: each row of the trace says how far the diagonals had come before that distance.
        var steps: [Step] = []
        var x = old.count
        var y = new.count
        for distance in stride(from: trace.count - 1, to: 0, by: -1) {
            let row = trace[distance - 1]
            let middle = distance - 1
            func reach(_ diagonal: Int) -> Int { abs(diagonal) > middle ? -1 : row[diagonal + middle] }
            let diagonal = x - y
            let isInsertion =
                diagonal == -distance || (diagonal != distance && reach(diagonal - 1) < reach(diagonal + 1))
            let previousX = isInsertion ? reach(diagonal + 1) : reach(diagonal - 1)
            let previousY = previousX - (isInsertion ? diagonal + 1 : diagonal - 1)
            while x > previousX + (isInsertion ? 0 : 1), y > previousY + (isInsertion ? 1 : 0) {
                x -= 1
                y -= 1
                steps.append(.keep(old: old.startIndex + x, new: new.startIndex + y))
            }
            if isInsertion {
                steps.append(.insert(new: new.startIndex + previousY))
            } else {
                steps.append(.delete(old: old.startIndex + previousX))
            }
            x = previousX
            y = previousY
        }
        while x > 0, y > 0 {
            x -= 1
            y -= 1
            steps.append(.keep(old: old.startIndex + x, new: new.startIndex + y))
        }
        return steps.reversed()
    }

    /// For each distance from 0 on, how far each diagonal comes: row d holds those from -d to d. `nil` when the texts
    /// are further apart than we look.
    private static func trace(_ old: ArraySlice<Int>, _ new: ArraySlice<Int>) -> [[Int]]? {
        var rows: [[Int]] = []
        for distance in 0...maxDistance {
            var row = [Int](repeating: -1, count: 2 * distance + 1)
            let last = rows.last ?? []
            for diagonal in stride(from: -distance, through: distance, by: 2) {
                func reach(_ diagonal: Int) -> Int {
                    abs(diagonal) >= distance ? -1 : last[diagonal + distance - 1]
                }
                var x = 0
                if distance > 0 {
                    let down =
                        diagonal == -distance || (diagonal != distance && reach(diagonal - 1) < reach(diagonal + 1))
                    x = down ? reach(diagonal + 1) : reach(diagonal - 1) + 1
                }
                var y = x - diagonal
                // Off the grid: such a diagonal leads nowhere.
                guard x <= old.count, y <= new.count, y >= 0 else {
                    row[diagonal + distance] = x
                    continue
                }
                while x < old.count, y < new.count, old[old.startIndex + x] == new[new.startIndex + y] {
                    x += 1
                    y += 1
                }
                row[diagonal + distance] = x
                if x == old.count, y == new.count {
                    rows.append(row)
                    return rows
                }
            }
            rows.append(row)
        }
        return nil
    }
}
