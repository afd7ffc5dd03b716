internal import JSONRPCWire
public import NIOCore

/// Capabilities of one era as the other declares them.
///
/// Dropped is only what the other era does not have: the experimental tasks of 2025-11-25 and the tasks extension of
/// 2026-07-28, which share their names but not their meaning (changelog, major change 6), and `roots.listChanged`,
/// whose notification is gone (major change 5). Everything unknown passes, and members keep their order. All functions
/// take a JSON object (anything else gives an empty one) and return one.
public enum CapabilityTranslation {
    /// A legacy client's capabilities for a modern upstream.
    public static func clientToModern(_ capabilities: ByteBuffer) -> ByteBuffer {
        translated(capabilities, dropping: "tasks", inside: "roots", dropping: "listChanged")
    }

    /// A modern client's capabilities for a legacy upstream.
    public static func clientToLegacy(_ capabilities: ByteBuffer) -> ByteBuffer {
        translated(capabilities, dropping: nil, inside: "extensions", dropping: "io.modelcontextprotocol/tasks")
    }

    /// A legacy server's capabilities for a modern client.
    public static func serverToModern(_ capabilities: ByteBuffer) -> ByteBuffer {
        translated(capabilities, dropping: "tasks", inside: nil, dropping: nil)
    }

    /// A modern server's capabilities for a legacy client.
    public static func serverToLegacy(_ capabilities: ByteBuffer) -> ByteBuffer {
        translated(capabilities, dropping: nil, inside: "extensions", dropping: "io.modelcontextprotocol/tasks")
    }

    private static func translated(
        _ source: ByteBuffer, dropping outer: StaticString?, inside name: StaticString?,
        dropping inner: StaticString?
    ) -> ByteBuffer {
        func matches(_ key: ByteRange, _ name: StaticString?) -> Bool {
            name.map { JSONText.equals(key, $0, in: source) } ?? false
        }
        var text = ObjectText(capacity: source.readableBytes + 2)
        text.copy(source.whole, of: source) { key, value in
            if matches(key, outer) { return .drop }
            guard matches(key, name), JSONText.kind(of: value, in: source) == .object else { return .keep }
            var nested = ObjectText(capacity: value.count)
            nested.copy(value, of: source) { key, _ in matches(key, inner) ? .drop : .keep }
            return .replace(nested.finished())
        }
        return text.finished()
    }
}
