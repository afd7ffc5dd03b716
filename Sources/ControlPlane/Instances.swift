internal import Glibc

/// A living instance.
struct Instance {
    let path: String
    let file: PIDFile
    let process: ProcessHandle

    /// One line of a list.
    var text: String {
        "pid \(file.pid)  \(file.transport)  \(file.configPath)  \(path)"
    }
}

/// What a search for instances found, and where it looked.
struct Instances {
    /// A place, and what was there.
    struct Look: Hashable {
        let path: String
        let finding: String
        let isClosed: Bool
    }

    private(set) var running: [Instance] = []
    private(set) var looked: [Look] = []

    /// Looks everywhere.
    static func search(_ places: ControlPlaces) -> Instances {
        var result = Instances()
        if let explicit = places.explicit {
            result.look(at: explicit)
            return result
        }
        var paths = places.usual
        if let parent = places.instancesParent {
            paths += DirectoryListing.instances(in: parent).map { "\($0)/gatekit.pid" }.filter { !paths.contains($0) }
        }
        for path in paths {
            result.look(at: path)
            for other in DirectoryListing.numberedPIDFiles(in: ControlPlaces.directory(of: path)) {
                result.look(at: other)
            }
        }
        return result
    }

    /// The one instance that is meant.
    /// - Parameter config: `--config`, absolute and resolved, which selects by configuration file.
    func only(config: String?) throws(ControlError) -> Instance {
        let fitting = config.map { config in running.filter { Self.resolved($0.file.configPath) == config } } ?? running
        if fitting.count == 1 { return fitting[0] }
        if fitting.count > 1 {
            let list = fitting.map { "  \($0.text)" }.joined(separator: "\n")
            throw ControlError(
                .several,
                "\(fitting.count) instances are running; choose one with --config, --pid-file or --instance:\n\(list)")
        }
        let places = looked.map { "  \($0.path): \($0.finding)" }.joined(separator: "\n")
        let isHidden = looked.contains { $0.isClosed }
        if let config, !running.isEmpty {
            throw ControlError(.notRunning, "no running instance uses \(config); looked at:\n\(places)")
        }
        throw ControlError(
            isHidden ? .notPermitted : .notRunning,
            isHidden
                ? "no instance that uid \(geteuid()) may see; looked at:\n\(places)"
                : "no instance is running; looked at:\n\(places)")
    }

    /// A path without symbolic links, or as it is when it does not exist.
    static func resolved(_ path: String) -> String {
        guard let buffer = realpath(path, nil) else { return path }
        defer { free(buffer) }
        return String(cString: buffer)
    }

    private mutating func look(at path: String) {
        let finding = PIDFileFinding.look(at: path)
        guard !looked.contains(where: { $0.path == path }) else { return }
        var isClosed = false
        if case .notPermitted = finding { isClosed = true }
        looked.append(Look(path: path, finding: finding.text, isClosed: isClosed))
        guard case .running(let file, let process) = finding else { return }
        // $RUNTIME_DIRECTORY may be a second path to the same place.
        guard !running.contains(where: { $0.file.process == file.process }) else { return }
        running.append(Instance(path: path, file: file, process: process))
    }
}
