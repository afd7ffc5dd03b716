internal import ControlPlane
internal import GatewayConfiguration
internal import Glibc
internal import Logging
internal import Reload

/// What this process holds so that commands find it: its place, its lock and its PID file.
struct Instance: Sendable {
    let claim: InstanceClaim
    let startedAt: String
    /// CLOCK_MONOTONIC at the start of this program image, nanoseconds.
    let began: UInt64
    private let file: PIDFile

    /// Claims the place. nil for a stdio instance that finds no directory to write in: clients launch it wherever they
    /// like, and no command needs to reach it.
    static func claim(
        _ start: Start, _ loaded: LoadedConfiguration, _ options: ServeOptions, _ log: Logger
    ) throws -> Instance? {
        let settings = loaded.settings
        let named = options.pidFile ?? (options.instance == nil ? loaded.switches.pidFile : nil)
        let places = ControlPlaces.ofProcess(explicit: named, instance: options.instance)
        let listens = settings.transports != [.stdio]
        let claim: InstanceClaim
        do throws(ControlError) {
            let lock = ProgramImage.inheritedLock(keptFor: try places.chosen())
            claim = try InstanceClaim.take(places, listens: listens, adopting: lock)
        } catch {
            guard error.code == .noPlace, !listens, named == nil else { throw error }
            log.info("no PID file: \(error)")
            return nil
        }
        for note in claim.notes { log.info("\(note)") }
        return try Instance(claim, start, settings)
    }

    private init(_ claim: InstanceClaim, _ start: Start, _ settings: Settings) throws {
        self.claim = claim
        startedAt = ControlTime.text(ControlTime.wall())
        began = ControlTime.monotonic()
        let process = try ProcessIdentity.own()
        file = PIDFile(
            process: process, startedAt: startedAt, version: GatekitVersion.text,
            transport: settings.transports.map(\.rawValue).joined(separator: ","), host: nil, port: nil,
            dotenvPath: start.files.dotenvPath.map(Self.absolute), configPath: settings.configPath,
            argv: CommandLine.arguments, control: claim.controlSocket)
    }

    /// Writes the PID file; from here on commands find us.
    func publish() throws(ControlError) {
        try claim.publish(file)
    }

    func release() {
        claim.release()
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(ProcessEnvironment.workingDirectory())/\(path)"
    }
}
