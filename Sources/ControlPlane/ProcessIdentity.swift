internal import Glibc

/// What tells a process from a later one with the same number, read from /proc.
public struct ProcessIdentity: Hashable, Sendable {
    /// The process.
    public var pid: Int32
    /// Field 22 of /proc/<pid>/stat: clock ticks since boot. An execve keeps it.
    public var startTime: UInt64
    /// The boot that ``startTime`` counts from; nil where /proc/sys is hidden (systemd's ProcSubset=pid).
    public var bootID: String?

    /// The running process `pid`, or nil when there is none or it has ended and waits to be reaped.
    public static func of(_ pid: Int32) -> ProcessIdentity? {
        guard pid > 0, let text = contents("/proc/\(pid)/stat"), let close = text.lastIndex(of: ")") else { return nil }
        // proc(5): the name in parentheses may hold anything, so fields are counted from the last one: field 3 is next.
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let start = UInt64(fields[19]) else { return nil }
        let boot = contents("/proc/sys/kernel/random/boot_id")?.prefix { $0 != "\n" }
        return ProcessIdentity(pid: pid, startTime: start, bootID: boot.map(String.init))
    }

    /// This process.
    public static func own() throws(ControlError) -> ProcessIdentity {
        guard let identity = of(getpid()) else {
            throw ControlError(.systemCall, "/proc/self/stat cannot be read: is /proc mounted?")
        }
        return identity
    }

    /// Whether both are the same process. A boot that one of them could not see is not compared.
    func isSame(as other: ProcessIdentity) -> Bool {
        guard pid == other.pid, startTime == other.startTime else { return false }
        guard let bootID, let otherBoot = other.bootID else { return true }
        return bootID == otherBoot
    }

    /// The effective user of `pid`, or nil when it is gone.
    static func user(of pid: Int32) -> uid_t? {
        guard let text = contents("/proc/\(pid)/status") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("Uid:") {
            let numbers = line.dropFirst(4).split { $0 == "\t" || $0 == " " }
            return numbers.count > 1 ? uid_t(numbers[1]) : nil
        }
        return nil
    }

    /// A small file of /proc.
    private static func contents(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
