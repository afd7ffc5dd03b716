internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import Glibc
internal import HTTPDoor
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
        case add(UnixDoor.Place)
        case addPassed
        case remove
        case modify(UnixDoorSettings)
    }

    /// The same for the HTTP door.
    enum HTTPChange {
        case none
        case add(HTTPDoor.Place)
        case remove
        case modify(HTTPDoorSettings)
    }

    /// The session of our own stdin and stdout.
    private(set) var stdio: StdioDoor?
    private(set) var unix: UnixDoor?
    var http: HTTPDoor?
    let gateway: Gateway
    private let descriptors: StdioDescriptors
    private let passed: PassedSocket?
    let log: Logger
    private var change = Change.none
    var httpChange = HTTPChange.none
    /// Whether calls would be served: what `/readyz` says.
    var isReady: () -> Bool = { false }

    init(_ gateway: Gateway, _ descriptors: StdioDescriptors, passed: PassedSocket?, _ log: Logger) {
        self.gateway = gateway
        self.descriptors = descriptors
        self.passed = passed
        self.log = log
    }

    /// A listening socket that systemd passed.
    struct PassedSocket {
        let descriptor: Int32
        /// Where it listens, whatever `proxy.unix` says.
        let path: String
    }

    /// The one called `mcp` among those that systemd passed.
    static func passed(in sockets: ListenDescriptors) throws -> PassedSocket? {
        try sockets.unixListener(named: "mcp").map {
            PassedSocket(descriptor: $0, path: UnixDoor.path(ofListening: $0) ?? "a socket without a path")
        }
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
                .map { bound.value.take($0.value) }
        }.flatMap { () -> EventLoopFuture<Void> in
            let doors = bound.value
            guard settings.transports.contains(.stdio) else { return doors.gateway.eventLoop.makeSucceededVoidFuture() }
            return StdioDoor.open(doors.descriptors, doors.gateway, isLone: settings.transports == [.stdio])
                .map { bound.value.stdio = $0.value }
        }
    }

    private func openUnix(_ settings: UnixDoorSettings) -> EventLoopFuture<NIOLoopBound<UnixDoor>> {
        passed.map(openPassed) ?? UnixDoor.open(settings, gateway, log)
    }

    /// The door closes what it was given, and the passed socket must stay: for another reload, and for the image after a
    /// restart.
    private func openPassed(_ socket: PassedSocket) -> EventLoopFuture<NIOLoopBound<UnixDoor>> {
        let copy = fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else {
            return gateway.eventLoop.makeFailedFuture(
                ListenDescriptorError(
                    description:
                        "descriptor \(socket.descriptor) named 'mcp' cannot be used: \(String(cString: strerror(errno)))"
                ))
        }
        return UnixDoor.open(listening: copy, UnixDoorSettings(path: socket.path), gateway, log)
    }

    /// Prepares the doors of `settings`: takes the path of a new one, on which nobody can connect before the swap.
    /// Completes with what only a new start can change.
    func open(for settings: Settings, _ completion: @escaping (Result<[String], DoorRefusal>) -> Void) {
        openHTTP(for: settings) { [self] refusal in
            if let refusal { return completion(.failure(refusal)) }
            openUnix(for: settings) { result in
                if case .failure = result { self.settleHTTP(isRefused: true) }
                completion(result)
            }
        }
    }

    private func openUnix(for settings: Settings, _ completion: @escaping (Result<[String], DoorRefusal>) -> Void) {
        change = .none
        let wantsUnix = settings.transports.contains(.unix)
        guard wantsUnix || settings.transports.contains(.http) || stdio != nil else {
            return completion(
                .failure(
                    DoorRefusal(
                        "proxy.transport: stdio was not opened at the start, so no door would "
                            + "be left; keep unix or http")))
        }
        do throws(DoorError) {
            switch unix {
            case .some where !wantsUnix: change = .remove
            case .some(let door) where door.isActivated || door.settings == settings.unix: break
            case .some(let door) where door.settings.path == settings.unix.path:
                try UnixDoor.check(settings.unix)
                change = .modify(settings.unix)
            case .some, .none:
                if wantsUnix { change = try passed == nil ? .add(UnixDoor.Place(settings.unix)) : .addPassed }
            }
        } catch {
            return completion(.failure(DoorRefusal("\(error)")))
        }
        completion(.success(notes(settings)))
    }

    /// Why `proxy.unix` does not say where the door is; nil when it does.
    func ineffectiveSocket(_ settings: Settings) -> String? {
        guard let passed, settings.transports.contains(.unix), settings.unix.path != passed.path else { return nil }
        return "proxy.unix has no effect: systemd passed the socket \(passed.path), see its .socket unit"
    }

    private func notes(_ settings: Settings) -> [String] {
        var notes: [String] = []
        let wantsStdio = settings.transports.contains(.stdio)
        if wantsStdio != (stdio != nil) {
            notes.append(
                "proxy.transport: stdio belongs to whoever started the process and changes with a new start only")
        }
        if let ineffective = ineffectiveSocket(settings) { notes.append(ineffective) }
        return notes
    }

    /// After the swap: opens what was prepared, and closes what is not wanted any more. When the reload was refused,
    /// gives the prepared path back.
    func settle(isRefused: Bool) {
        settleHTTP(isRefused: isRefused)
        defer { change = .none }
        switch (change, isRefused) {
        case (.add(let place), true): place.release()
        case (.add(let place), false): move(to: place)
        case (.addPassed, false): if let passed { replace(by: openPassed(passed)) }
        case (.remove, false):
            unix?.close()
            unix = nil
        case (.modify(let settings), false):
            do throws(DoorError) {
                try unix?.change(to: settings)
            } catch {
                log.error("the socket's mode and group stay as they were: \(error)")
            }
        case (.none, _), (.remove, true), (.modify, true), (.addPassed, true): break
        }
        stdio?.setLone(gateway.snapshot.settings.transports == [.stdio])
    }

    /// The new path takes clients before the old one is gone, and before anybody hears that the reload is done.
    private func move(to place: UnixDoor.Place) {
        do throws(DoorError) {
            try place.listen()
        } catch {
            place.release()
            return log.error("the new door could not be opened, the former one stays: \(error)")
        }
        unix?.close()
        unix = nil
        replace(by: UnixDoor.open(place, gateway, log))
    }

    private func replace(by opening: EventLoopFuture<NIOLoopBound<UnixDoor>>) {
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        opening.whenComplete { result in
            let doors = bound.value
            switch result {
            case .success(let door):
                doors.unix?.close()
                doors.unix = door.value
                doors.log.info("Listening on \(door.value.settings.path)")
            case .failure(let error):
                doors.log.error("the new door could not be opened, the former one stays: \(error)")
            }
        }
    }

    /// For the end: takes no client any more. Sessions go on, those over HTTP until their open requests are answered.
    func close() {
        unix?.close()
        unix = nil
        http?.drain()
        http = nil
    }
}
