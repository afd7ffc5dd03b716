internal import GatewayEvents
internal import Gateway
internal import GatewayConfiguration
internal import Glibc
internal import HTTPDoor
internal import LineDoors
internal import Logging
internal import MCPRouting
internal import NIOCore
internal import Reload
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

    /// The same for the HTTP door.
    private enum HTTPChange {
        case none
        case add(HTTPDoor)
        case remove
        case modified(HTTPDoorSettings)
    }

    /// The session of our own stdin and stdout.
    private(set) var stdio: StdioDoor?
    private(set) var unix: UnixDoor?
    private(set) var http: HTTPDoor?
    private let gateway: Gateway
    private let descriptors: StdioDescriptors
    /// A listening socket that was passed to us, until a door takes it.
    private var activated: Int32?
    private let log: Logger
    private var change = Change.none
    private var httpChange = HTTPChange.none

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
            guard settings.transports.contains(.http) else { return doors.gateway.eventLoop.makeSucceededVoidFuture() }
            return HTTPDoor.open(settings.http ?? HTTPDoorSettings(), doors.gateway, doors.log)
                .map { bound.value.http = $0.value }
        }.flatMap { () -> EventLoopFuture<Void> in
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
        openHTTP(for: settings) { [self] refusal in
            if let refusal { return completion(.failure(refusal)) }
            openUnix(for: settings) { result in
                if case .failure = result { self.settleHTTP(isRefused: true) }
                completion(result)
            }
        }
    }

    private func openHTTP(for settings: Settings, _ completion: @escaping (DoorRefusal?) -> Void) {
        httpChange = .none
        guard settings.transports.contains(.http) else {
            if http != nil { httpChange = .remove }
            return completion(nil)
        }
        let next = settings.http ?? HTTPDoorSettings()
        if let http, http.settings.host == next.host, http.settings.port == next.port {
            httpChange = http.settings == next ? .none : .modified(next)
            return completion(nil)
        }
        let bound = NIOLoopBound((self, completion), eventLoop: gateway.eventLoop)
        HTTPDoor.open(next, gateway, log).whenComplete { result in
            let (doors, completion) = bound.value
            switch result {
            case .success(let door):
                doors.httpChange = .add(door.value)
                completion(nil)
            case .failure(let error):
                completion(DoorRefusal("\(error)"))
            }
        }
    }

    private func openUnix(for settings: Settings, _ completion: @escaping (Result<[String], DoorRefusal>) -> Void) {
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
        settleHTTP(isRefused: isRefused)
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

    private func settleHTTP(isRefused: Bool) {
        defer { httpChange = .none }
        switch (httpChange, isRefused) {
        case (.add(let door), true):
            door.close()
        case (.add(let door), false):
            http?.close()
            http = door
            log.info("Listening on \(door.url)")
        case (.remove, false):
            http?.close()
            http = nil
        case (.modified(let next), false):
            http?.change(to: next)
        case (.none, _), (.remove, true), (.modified, true):
            break
        }
    }

    /// Takes no client any more. Sessions go on, those over HTTP until their open requests are answered.
    func close() {
        unix?.close()
        unix = nil
        http?.close()
        http = nil
    }
}
