internal import GatewayEvents
internal import Gateway
internal import GatewayConfiguration
internal import Glibc
internal import LineDoors
internal import Logging
internal import MCPRouting
internal import NIOCore
internal import Reload
internal import StandardStreams
internal import Systemd

/// The doors of a gateway: opened at the start, added and closed by reloads. Confined to the gateway loop.
final class Doors {
    /// What the last ``open(for:_:)`` prepared.
    private enum Change {
        case none
        case add(UnixDoor)
        case remove
        /// The socket file's mode or group has been changed; it was so before.
        case modified(UnixDoorSettings)
    }

    /// The session of our own stdin and stdout.
    private(set) var stdio: StdioDoor?
    private(set) var unix: UnixDoor?
    private let gateway: Gateway
    private let descriptors: StdioDescriptors
    /// A listening socket that was passed to us, until a door takes it.
    private var activated: Int32?
    private let log: Logger
    private var change = Change.none

    init(_ gateway: Gateway, _ descriptors: StdioDescriptors, activated: Int32?, _ log: Logger) {
        self.gateway = gateway
        self.descriptors = descriptors
        self.activated = activated
        self.log = log
    }

    /// The listening socket called `mcp` among those that systemd passed, as a copy: the passed one must stay for the
    /// image after a restart.
    static func descriptor(of sockets: ListenDescriptors) throws -> Int32? {
        guard let passed = try sockets.unixListener(named: "mcp") else { return nil }
        let copy = fcntl(passed, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else {
            throw ListenDescriptorError(
                description: "descriptor \(passed) named 'mcp' cannot be used: \(String(cString: strerror(errno)))")
        }
        return copy
    }

    /// The doors of the start.
    func open() -> EventLoopFuture<Void> {
        let settings = gateway.snapshot.settings
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        let unix =
            settings.transports.contains(.unix)
            ? openUnix(settings.unix).map { bound.value.unix = $0.value } : gateway.eventLoop.makeSucceededVoidFuture()
        return unix.flatMap { () -> EventLoopFuture<Void> in
            let doors = bound.value
            guard settings.transports.contains(.stdio) else { return doors.gateway.eventLoop.makeSucceededVoidFuture() }
            return StdioDoor.open(doors.descriptors, doors.gateway, isLone: settings.transports == [.stdio])
                .map { bound.value.stdio = $0.value }
        }
    }

    private func openUnix(_ settings: UnixDoorSettings) -> EventLoopFuture<NIOLoopBound<UnixDoor>> {
        guard let descriptor = activated else { return UnixDoor.open(settings, gateway, log) }
        activated = nil
        return UnixDoor.open(listening: descriptor, settings, gateway, log)
    }

    /// Opens what `settings` adds, beside what is open: clients find one door or the other at every moment. Completes
    /// with what cannot be changed without a restart.
    func open(for settings: Settings, _ completion: @escaping (Result<[String], DoorRefusal>) -> Void) {
        change = .none
        let wantsUnix = settings.transports.contains(.unix)
        switch unix {
        case .some where !wantsUnix:
            change = .remove
        case .some(let door) where door.settings.path == settings.unix.path || door.isActivated:
            guard door.settings != settings.unix, !door.isActivated else { break }
            let former = door.settings
            do throws(DoorError) {
                try door.change(to: settings.unix)
            } catch {
                return completion(.failure(DoorRefusal("\(error)")))
            }
            change = .modified(former)
        case .some, .none:
            guard wantsUnix else { break }
            let bound = NIOLoopBound((self, completion), eventLoop: gateway.eventLoop)
            return openUnix(settings.unix).whenComplete { result in
                let (doors, completion) = bound.value
                switch result {
                case .success(let door):
                    doors.change = .add(door.value)
                    completion(.success(doors.notes(settings)))
                case .failure(let error):
                    completion(.failure(DoorRefusal("\(error)")))
                }
            }
        }
        completion(.success(notes(settings)))
    }

    private func notes(_ settings: Settings) -> [String] {
        var notes: [String] = []
        let wantsStdio = settings.transports.contains(.stdio)
        if wantsStdio != (stdio != nil) {
            notes.append(
                "proxy.transport: stdio belongs to whoever started the process and changes with a restart only")
        }
        if let unix, unix.isActivated, unix.settings != settings.unix, settings.transports.contains(.unix) {
            notes.append("proxy.unix has no effect: the socket was passed by systemd, see its .socket unit")
        }
        return notes
    }

    /// After the swap: closes what is not wanted any more. When the reload was refused: what it opened.
    func settle(isRefused: Bool) {
        defer { change = .none }
        switch (change, isRefused) {
        case (.add(let door), true):
            door.close()
        case (.add(let door), false):
            unix?.close()
            unix = door
            log.info("Listening on \(door.settings.path)")
        case (.remove, false):
            unix?.close()
            unix = nil
        case (.modified(let former), true):
            do throws(DoorError) {
                try unix?.change(to: former)
            } catch {
                log.error("the socket's mode and group could not be set back: \(error)")
            }
        case (.none, _), (.remove, true), (.modified, false):
            break
        }
        stdio?.setLone(gateway.snapshot.settings.transports == [.stdio])
    }

    /// Takes no client any more. Sessions go on.
    func close() {
        unix?.close()
        unix = nil
    }
}
