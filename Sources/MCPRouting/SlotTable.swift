/// An identifier that names a place and the occupant's generation.
protocol SlotIdentifier: Hashable {
    init(index: Int, generation: UInt32)
    var index: Int { get }
    var generation: UInt32 { get }
}

extension SessionID: SlotIdentifier {}
extension UpstreamID: SlotIdentifier {}

/// Values by place, found in constant time without hashing. An identifier of a value that has left finds nothing, even
/// when its place is taken again.
struct SlotTable<ID: SlotIdentifier, Value: AnyObject> {
    private struct Slot {
        var generation: UInt32 = 0
        var value: Value?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []
    private(set) var count = 0

    mutating func insert(_ value: Value) -> ID {
        count += 1
        if let index = free.popLast() {
            slots[index].value = value
            return ID(index: index, generation: slots[index].generation)
        }
        slots.append(Slot(value: value))
        return ID(index: slots.count - 1, generation: 0)
    }

    func contains(_ id: ID) -> Bool {
        id.index < slots.count && slots[id.index].generation == id.generation && slots[id.index].value != nil
    }

    /// Reads a value in place; nil when it has left.
    func read<T>(_ id: ID, _ body: (Value) -> T) -> T? {
        guard contains(id) else { return nil }
        // `contains` has just seen it.
        return body(slots[id.index].value!)
    }

    /// Changes a value in place; nil when it has left.
    @discardableResult
    mutating func update<T>(_ id: ID, _ change: (Value) -> T) -> T? {
        guard contains(id) else { return nil }
        // `contains` has just seen it.
        return change(slots[id.index].value!)
    }

    @discardableResult
    mutating func remove(_ id: ID) -> Value? {
        guard contains(id), let value = slots[id.index].value else { return nil }
        slots[id.index].value = nil
        slots[id.index].generation &+= 1
        free.append(id.index)
        count -= 1
        return value
    }

    /// Every identifier, in order of place.
    var ids: [ID] {
        slots.indices.compactMap { index in
            slots[index].value == nil ? nil : ID(index: index, generation: slots[index].generation)
        }
    }

    /// Whoever is at a place now.
    func id(at index: Int) -> ID? {
        guard slots.indices.contains(index), slots[index].value != nil else { return nil }
        return ID(index: index, generation: slots[index].generation)
    }
}
