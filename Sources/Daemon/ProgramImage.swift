internal import ControlPlane
internal import Glibc
internal import Logging
internal import Systemd

/// The program on disk, executed anew in this process: the pid stays, so systemd sees no end.
///
/// Sessions end cleanly before. Keeping them would need, beyond the descriptors of clients, listener and upstream: the
/// half lines in both directions, the table of requests in flight with their ids, the sessions' subscriptions and
/// levels, and the audit's `seq`, all handed over in a sealed memfd whose format two versions agree on.
enum ProgramImage {
    /// Where the lock's descriptor, and the PID file that it belongs to, are told to the next image.
    private static let lockName = "GATEKIT_LOCK_FD"
    private static let placeName = "GATEKIT_LOCK_PID_FILE"

    /// Looked up at the start: later the file may have been replaced, and then /proc calls it deleted.
    private static let path = ownPath()

    /// Finds out where the program is. Call first of all.
    static func remember() {
        _ = path
    }

    /// Why the program could not be executed anew; nil when it could.
    static var problem: String? {
        access(path, X_OK) == 0
            ? nil : "the program \(path) cannot be executed: \(String(cString: strerror(errno)).lowercased())"
    }

    /// The descriptor of the lock that the image before this one handed over, if this one's place is `pidFile` too. A
    /// configuration that names another place lets the former one go.
    static func inheritedLock(keptFor pidFile: String) -> Int32? {
        guard let number = taken(lockName).flatMap({ Int32($0) }), let place = taken(placeName) else { return nil }
        if place == pidFile { return number }
        unlink(place)
        close(number)
        return nil
    }

    /// A variable's value, which a child of ours must not take for its own.
    private static func taken(_ name: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }) else { return nil }
        unsetenv(name)
        return value
    }

    /// Replaces this program by the one that is at its path now, with the same arguments. Call at the very end, when no
    /// other thread does anything any more.
    /// - Returns: only when it failed: the exit code.
    static func execute(_ claim: InstanceClaim?, _ sockets: ListenDescriptors) -> Int32 {
        let log = DaemonLog.logger("gatekit.main")
        do {
            try claim?.lock?.keepOverExec()
            try sockets.keepOverExecution()
        } catch {
            log.error("cannot restart: \(error)")
            return 1
        }
        if let claim, let lock = claim.lock {
            setenv(lockName, "\(lock.descriptor)", 1)
            setenv(placeName, claim.pidFile, 1)
        }
        var arguments = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv(path, arguments)
        log.error("cannot restart: \(path): \(String(cString: strerror(errno)))")
        return 1
    }

    private static func ownPath() -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return CommandLine.arguments[0] }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
