internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import HTTPDoor
internal import Logging
internal import NIOCore
internal import Reload

/// The HTTP door's part of a reload.
extension Doors {
    /// Takes a new address, or sees whether the door that is open can be changed. Completes with what stands against it.
    func openHTTP(for settings: Settings, _ completion: @escaping (DoorRefusal?) -> Void) {
        httpChange = .none
        guard settings.transports.contains(.http) else {
            if http != nil { httpChange = .remove }
            return completion(nil)
        }
        let next = settings.http ?? HTTPDoorSettings()
        if let http, http.settings.host == next.host, http.settings.port == next.port {
            guard http.settings != next else { return completion(nil) }
            do throws(HTTPDoorError) {
                try http.check(next)
            } catch {
                return completion(DoorRefusal("\(error)"))
            }
            httpChange = .modify(next)
            return completion(nil)
        }
        let bound = NIOLoopBound((self, completion), eventLoop: gateway.eventLoop)
        HTTPDoor.place(next, on: gateway.eventLoop).whenComplete { result in
            let (doors, completion) = bound.value
            switch result {
            case .success(let place):
                doors.httpChange = .add(place)
                completion(nil)
            case .failure(let error):
                completion(DoorRefusal("\(error)\(doors.isOwnPort(next) ? Self.ownPort : "")"))
            }
        }
    }

    /// Whether the door that is open may be what stands in the way: 0.0.0.0 and 127.0.0.1 exclude each other on one port.
    private func isOwnPort(_ next: HTTPDoorSettings) -> Bool {
        http?.settings.port == next.port
    }

    private static let ownPort =
        "; this gateway's own door has that port: change proxy.http.port too, or take the new host with: gatekit restart"

    /// After the swap: opens, changes or closes. When the reload was refused: gives a new address back.
    func settleHTTP(isRefused: Bool) {
        defer { httpChange = .none }
        switch (httpChange, isRefused) {
        case (.add(let place), true): place.release()
        case (.add(let place), false): move(to: place)
        case (.remove, false):
            http?.close(for: gateway.snapshot.settings.http)
            http = nil
        case (.modify(let next), false):
            do throws(HTTPDoorError) {
                try http?.change(to: next)
            } catch {
                log.error("the HTTP door stays as it was: \(error)")
            }
        case (.none, _), (.remove, true), (.modify, true): break
        }
    }

    /// A door has been opened.
    func take(_ door: HTTPDoor) {
        door.isReady = { [unowned self] in isReady() }
        http = door
    }

    /// The new address takes clients before the old one is gone, and before anybody hears that the reload is done.
    private func move(to place: HTTPDoor.Place) {
        do throws(HTTPDoorError) {
            try place.listen()
        } catch {
            place.release()
            return log.error("the new HTTP door could not be opened, the former one stays: \(error)")
        }
        http?.close(for: place.settings)
        http = nil
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        HTTPDoor.open(place, gateway, log).whenComplete { result in
            let doors = bound.value
            switch result {
            case .success(let door):
                doors.take(door.value)
                doors.log.info("Listening on \(door.value.url)")
            case .failure(let error):
                doors.log.error("the new HTTP door could not be opened: \(error)")
            }
        }
    }
}
