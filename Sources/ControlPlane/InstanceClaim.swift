internal import Glibc

/// A starting instance's hold on its PID file: the place, the lock where one is due, and nothing written yet.
///
/// Take it before the doors open, ``publish(_:)`` once they are, ``release()`` at every clean end.
public struct InstanceClaim: Sendable {
    /// Where the PID file goes.
    public let pidFile: String
    /// The lock; nil for a stdio instance without a PID file of its own name, of which clients start several.
    public let lock: ControlLock?
    /// What was found and replaced, for the log.
    public let notes: [String]

    /// Where the control socket goes.
    public var controlSocket: String { ControlPlaces.controlSocket(of: pidFile) }

    /// Chooses the place and locks it.
    /// - Parameters:
    ///   - listens: whether a door other than stdio opens.
    ///   - descriptor: the lock that the image before an execve handed over.
    /// - Throws: ``ControlError/Code/alreadyRunning`` beside a living instance; ``ControlError/Code/noPlace`` when no
    ///   directory can be written, which a stdio instance may live with.
    public static func take(
        _ places: ControlPlaces, listens: Bool, adopting descriptor: Int32? = nil
    ) throws(ControlError) -> InstanceClaim {
        let chosen = try places.chosen()
        guard listens || places.explicit != nil else {
            let directory = ControlPlaces.directory(of: chosen)
            let notes = sweep(directory)
            return InstanceClaim(pidFile: "\(directory)/\(getpid()).pid", lock: nil, notes: notes)
        }
        let path = ControlPlaces.lockFile(of: chosen)
        let lock: ControlLock
        do {
            if let descriptor {
                lock = try ControlLock.adopt(descriptor, path: path)
            } else {
                lock = try ControlLock.take(path)
            }
        } catch {
            guard error.code == .alreadyRunning else { throw error }
            throw conflict(chosen, lock: path)
        }
        do {
            let isNamed = places.explicit != nil
            return InstanceClaim(
                pidFile: chosen, lock: lock, notes: try replaceable(chosen, lock: path, isNamed: isNamed))
        } catch {
            lock.release()
            throw error
        }
    }

    /// Writes the PID file.
    public func publish(_ file: PIDFile) throws(ControlError) {
        try file.write(to: pidFile)
    }

    /// Removes the PID file when it is still this process's, then lets go of the lock.
    public func release() {
        if case .read(let file, _) = PIDFileReading.read(pidFile), let own = ProcessIdentity.of(getpid()),
            own.isSame(as: file.process)
        {
            unlink(pidFile)
        }
        lock?.release()
    }

    /// What stands at a path whose lock is ours, as notes; fails beside a living instance, whose lock was deleted.
    ///
    /// A file that somebody named may be anything, and one that is no PID file is theirs.
    private static func replaceable(_ path: String, lock: String, isNamed: Bool) throws(ControlError) -> [String] {
        let finding = PIDFileFinding.look(at: path)
        switch finding {
        case .absent: return []
        case .running(let file, _) where file.pid == getpid(): return []
        case .running, .foreign: throw conflict(path, lock: lock)
        case .corrupt(let reason) where isNamed:
            throw ControlError(
                .notOurs,
                "--pid-file \(path) exists and is no PID file (\(reason)); remove it, or name another one")
        case .stale, .reused, .corrupt, .notPermitted: return ["replacing \(path): \(finding.text)"]
        }
    }

    private static func conflict(_ path: String, lock: String) -> ControlError {
        let finding = PIDFileFinding.look(at: path)
        let remedy = "stop it with 'gatekit stop --pid-file \(path)', or give this one a --pid-file of its own"
        guard case .running(let file, _) = finding else {
            return ControlError(
                .alreadyRunning,
                "another instance holds \(lock), and \(path) does not tell its pid (\(finding.text)); \(remedy)")
        }
        return ControlError(
            .alreadyRunning,
            "another instance (pid \(file.pid), configuration \(file.configPath)) holds \(path); \(remedy)")
    }

    /// Removes what stdio instances that were killed left behind: nobody else ever would.
    private static func sweep(_ directory: String) -> [String] {
        var notes: [String] = []
        for path in DirectoryListing.numberedPIDFiles(in: directory) {
            switch PIDFileFinding.look(at: path) {
            case .stale, .reused:
                guard unlink(path) == 0 else { continue }
                unlink(ControlPlaces.controlSocket(of: path))
                notes.append("removed \(path), whose process has ended")
            case .running, .absent, .notPermitted, .corrupt, .foreign: continue
            }
        }
        return notes
    }
}
