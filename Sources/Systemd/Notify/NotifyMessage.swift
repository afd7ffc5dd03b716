internal import Glibc

/// One datagram to the service manager: assignments, one a line. sd_notify(3).
struct NotifyMessage: Hashable, Sendable {
    /// What systemd reads at most in one datagram, PIPE_BUF, is shared with the other assignments; a longer datagram is
    /// ignored as a whole.
    static let statusLimit = 2048

    /// Assignments without STATUS.
    var assignments: [String]
    /// What `systemctl status` shows; one line of at most ``statusLimit`` bytes.
    var status: String?

    init(_ assignments: [String], status: String? = nil) {
        self.assignments = assignments
        self.status = status.map(Self.oneLine)
    }

    /// The datagram; nil when nothing is left to say.
    func text(withStatus: Bool) -> String? {
        var lines = assignments
        if withStatus, let status { lines.append("STATUS=\(status)") }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    /// A newline would let a text that quotes a client or a file make assignments of its own, MAINPID for one.
    private static func oneLine(_ text: String) -> String {
        var line = ""
        var length = 0
        for scalar in text.unicodeScalars {
            let isControl =
                scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
            let shown: Unicode.Scalar = isControl ? " " : scalar
            length += UTF8.width(shown)
            guard length <= statusLimit - 3 else { return line + "…" }
            line.unicodeScalars.append(shown)
        }
        return line
    }
}
