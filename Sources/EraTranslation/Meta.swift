internal import JSONRPCWire
internal import NIOCore

/// Changing `params._meta` of a request or notification, wherever it stands or does not stand yet.
enum Meta {
    /// Takes out the members with these values, and `_meta` with them where it has no other.
    static func removing(
        _ values: [ByteRange], from message: Message, progressToken: Lexeme?
    ) -> Splices {
        var splices = Splices()
        let meta = message.scan[.paramsMeta]
        let token = message.scan[.metaProgressToken]
        guard meta.isPresent, values.contains(where: \.isPresent) || progressToken != nil && token.isPresent else {
            return splices
        }
        var text = ObjectText(capacity: meta.count)
        text.copy(meta, of: message.bytes) { _, value in
            if values.contains(value) { return .drop }
            guard let progressToken, value == token else { return .keep }
            return .replaceLexeme(progressToken)
        }
        if text.isEmpty {
            splices.remove([meta], of: message.bytes)
        } else {
            splices.replace(meta, with: text.finished())
        }
        return splices
    }

    /// Puts `members` (without braces) into `_meta`, where they take the place of those with the values `replaced`.
    static func adding(
        _ members: ByteBuffer, replacing replaced: [ByteRange], to message: Message, progressToken: Lexeme?
    ) -> Splices {
        var splices = Splices()
        let scan = message.scan
        let bytes = message.bytes
        guard scan[.params].isPresent else {
            // Behind the method, which every request and notification has.
            var text = ByteBuffer()
            text.reserveCapacity(scan[.method].count + members.readableBytes + 32)
            text.write(scan[.method], of: bytes)
            text.writeStaticString(#","params":{"_meta":{"#)
            text.writeImmutableBuffer(members)
            text.writeStaticString("}}")
            splices.replace(scan[.method], with: text)
            return splices
        }
        guard scan[.paramsMeta].isPresent else {
            var text = ByteBuffer()
            text.reserveCapacity(members.readableBytes + 16)
            text.writeStaticString(#""_meta":{"#)
            text.writeImmutableBuffer(members)
            text.writeStaticString("}")
            splices.prepend(text, to: scan[.params], of: bytes)
            return splices
        }
        splices.replace(
            scan[.paramsMeta],
            with: rewritten(message, members, replacing: replaced, progressToken: progressToken))
        return splices
    }

    /// `_meta` with `members` before its own; anything but an object counts as empty.
    static func rewritten(
        _ message: Message, _ members: ByteBuffer, replacing replaced: [ByteRange], progressToken: Lexeme?
    ) -> ByteBuffer {
        let meta = message.scan[.paramsMeta]
        let token = message.scan[.metaProgressToken]
        var text = ObjectText(capacity: meta.count + members.readableBytes + 16)
        text.members(members)
        guard JSONText.kind(of: meta, in: message.bytes) == .object else { return text.finished() }
        text.copy(meta, of: message.bytes) { _, value in
            if replaced.contains(value) { return .drop }
            guard let progressToken, value == token else { return .keep }
            return .replaceLexeme(progressToken)
        }
        return text.finished()
    }
}
