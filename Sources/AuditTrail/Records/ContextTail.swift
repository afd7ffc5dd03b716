import GatewayConfiguration
import GatewayEvents

/// The end that most records share: who, under which configuration, in which run, up to the digits of `seq`. Each format
/// prints it in its own way.
///
/// It depends on two immutable objects, so it is printed once for each pair. The entries hold their objects: an
/// identifier can not come to mean another one.
struct ContextTail {
    private struct Pair: Hashable {
        var session: ObjectIdentifier?
        var snapshot: ObjectIdentifier
    }

    private final class Entry {
        let session: SessionIdentity?
        let snapshot: Snapshot
        let text: [UInt8]

        init(session: SessionIdentity?, snapshot: Snapshot, text: [UInt8]) {
            self.session = session
            self.snapshot = snapshot
            self.text = text
        }
    }

    /// As many as there may be sessions by default. Full, the cache starts over.
    private static let most = 1024

    /// Prints a pair; what it prints must depend on nothing else.
    typealias Printer = (SessionIdentity?, Snapshot, LineBuffer) -> Void

    private let print: Printer
    /// The last entry's parts, apart: comparing them counts no references.
    private var lastPair: Pair?
    private var lastText: [UInt8] = []
    private var entries: [Pair: Entry] = [:]

    init(_ print: @escaping Printer) {
        self.print = print
    }

    /// `, "server_name": …, "seq": `, of format `json`.
    static func json(run: String) -> ContextTail {
        ContextTail { session, snapshot, out in
            func member(_ name: StaticString, _ value: String?) {
                guard let value else { return }
                out.append(name)
                JSONText.append(value, limit: PrintedLimit.identity, to: out)
            }
            member(#", "server_name": "#, snapshot.settings.upstream.name)
            member(#", "session_id": "#, session?.sessionID)
            member(#", "client_name": "#, session?.clientName)
            member(#", "client_version": "#, session?.clientVersion)
            member(#", "peer": "#, session?.peer)
            member(#", "config": "#, snapshot.label)
            member(#", "run": "#, run)
            out.append(#", "seq": "#)
        }
    }

    /// Appends what the pair prints.
    mutating func append(_ session: SessionIdentity?, _ snapshot: Snapshot, to out: LineBuffer) {
        let pair = Pair(session: session.map { ObjectIdentifier($0) }, snapshot: ObjectIdentifier(snapshot))
        if pair != lastPair {
            lastText = (entries[pair] ?? remember(pair, session, snapshot)).text
            lastPair = pair
        }
        out.append(lastText)
    }

    private mutating func remember(_ pair: Pair, _ session: SessionIdentity?, _ snapshot: Snapshot) -> Entry {
        // The last pair's objects may go with their entry, but the new one takes its place at once.
        if entries.count >= Self.most { entries.removeAll(keepingCapacity: true) }
        let out = LineBuffer(capacity: 512)
        print(session, snapshot, out)
        let entry = Entry(session: session, snapshot: snapshot, text: Array(out.bytes))
        entries[pair] = entry
        return entry
    }
}
