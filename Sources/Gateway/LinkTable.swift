internal import MCPRouting

/// What has a place in routing's tables and so can be found without hashing.
protocol Placed: Hashable {
    var index: Int { get }
}

extension SessionID: Placed {}
extension UpstreamID: Placed {}

/// The gateway's side of sessions and upstreams, by the places that routing gave them.
struct LinkTable<ID: Placed, Link: AnyObject> {
    private var slots: [(id: ID, link: Link)?] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(id: ID) -> Link? {
        get {
            guard id.index < slots.count, let slot = slots[id.index], slot.id == id else { return nil }
            return slot.link
        }
        set {
            while slots.count <= id.index { slots.append(nil) }
            if let slot = slots[id.index], slot.id != id, newValue == nil { return }
            count += (newValue == nil ? 0 : 1) - (slots[id.index] == nil ? 0 : 1)
            slots[id.index] = newValue.map { (id, $0) }
        }
    }

    /// Everything there is, in order of place.
    var values: [Link] { slots.compactMap { $0?.link } }
}
