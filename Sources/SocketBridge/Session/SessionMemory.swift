internal import JSONRPCWire
internal import NIOCore

/// What a session consists of, so that the next connection can be given the same.
struct SessionMemory {
    /// The client's `initialize`, as it was sent, and the first answer to it, which is what the client believes.
    struct Handshake {
        let request: Message
        let answer: Message
    }

    /// Set once `initialize` was answered with a result.
    private(set) var handshake: Handshake?
    /// The client's `notifications/initialized`, as it was sent.
    var initialized: ByteBuffer?
    /// The last log level that the daemon accepted.
    private(set) var level: String?
    private var uris: Set<[UInt8]> = []
    private var uriBytes = 0

    /// The subscribed URIs, in an order that does not depend on chance.
    var subscriptions: [String] {
        uris.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A request was answered with a result. False when it cannot be remembered, because there are too many.
    mutating func apply(_ effect: CallEffect, answer: () -> Message?) -> Bool {
        switch effect {
        case .nothing: return true
        case .handshake(let request):
            if let answer = answer() { handshake = Handshake(request: request, answer: answer) }
            return true
        case .level(let level):
            self.level = level
            return true
        case .subscribe(let uri): return insert(uri)
        case .unsubscribe(let uri):
            if uris.remove(uri) != nil { uriBytes -= uri.count }
            return true
        }
    }

    /// What the result of the client's request would change.
    static func effect(of scan: MessageScan, in line: ByteBuffer) -> CallEffect {
        let method = scan[.method]
        if JSONText.equals(method, "initialize", in: line) {
            return .handshake(Message(bytes: line.compacted(), scan: scan))
        }
        if JSONText.equals(method, "logging/setLevel", in: line) {
            guard let level = text(.paramsLevel, scan, line, BridgeLimits.levelBytes) else { return .nothing }
            return .level(level)
        }
        if JSONText.equals(method, "resources/subscribe", in: line) {
            guard let uri = text(.paramsURI, scan, line, BridgeLimits.subscriptionBytes) else { return .nothing }
            return .subscribe(Array(uri.utf8))
        }
        if JSONText.equals(method, "resources/unsubscribe", in: line) {
            guard let uri = text(.paramsURI, scan, line, BridgeLimits.subscriptionBytes) else { return .nothing }
            return .unsubscribe(Array(uri.utf8))
        }
        return .nothing
    }

    private static func text(_ member: Member, _ scan: MessageScan, _ line: ByteBuffer, _ cap: Int) -> String? {
        scan[member].count <= cap ? JSONText.string(scan[member], in: line) : nil
    }

    private mutating func insert(_ uri: [UInt8]) -> Bool {
        guard !uris.contains(uri) else { return true }
        guard uris.count < BridgeLimits.subscriptions, uriBytes + uri.count <= BridgeLimits.subscriptionBytes else {
            return false
        }
        uris.insert(uri)
        uriBytes += uri.count
        return true
    }
}
