/// How a process ended, as its parent learns it.
public enum ExitStatus: Sendable, Hashable {
    /// It ended by itself; 0 to 255.
    case exited(code: Int32)
    /// It was ended by a signal, its own fault's or somebody's.
    case signalled(signal: Int32)
}

extension ExitStatus: CustomStringConvertible {
    /// `exit 1` or `signal 9`: what audit records and messages print.
    public var description: String {
        switch self {
        case .exited(let code): "exit \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}
