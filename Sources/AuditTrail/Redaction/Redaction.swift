import GatewayEvents
import NIOCore

/// What one snapshot hides, applied to the texts that reach a record. A class, so that passing it on costs nothing.
final class Redaction: Sendable {
    let names: SensitiveNames

    init(names: SensitiveNames) {
        self.names = names
    }

    /// Appends the JSON text `body`, redacted. When that takes more than `limit` bytes, or `body` is no JSON after all,
    /// it becomes a JSON string of the beginning with ``JSONText/cutMark``, so that the record stays valid JSON.
    /// Never more than `2 * limit` bytes and a few. With `bareNames`, members' names stand without quotes where they
    /// are identifiers.
    func appendBody(
        _ body: UnsafeBufferPointer<UInt8>, limit: Int, bareNames: Bool = false, to out: LineBuffer
    ) {
        let start = out.count
        var rewriter = JSONRewriter(body, names: names, into: out, limit: limit, bareNames: bareNames)
        switch rewriter.run() {
        case .complete where out.count - start <= limit: return
        case .complete, .cut:
            let beginning = Array(out.bytes[start...])
            out.truncate(to: start)
            appendCut(beginning, limit: limit, to: out)
        case .invalid:
            out.truncate(to: start)
            let near = UnsafeBufferPointer(rebasing: body.prefix(limit * 8))
            let hidden = QuotedSecrets.hide(near, names: names) ?? Array(near)
            appendCut(hidden.withUnsafeBufferPointer { ConfirmationToken.strip($0) } ?? hidden, limit: limit, to: out)
        }
    }

    /// As above.
    func appendBody(_ body: ByteBuffer, limit: Int, to out: LineBuffer) {
        body.withUnsafeReadableBytes { appendBody($0.bindMemory(to: UInt8.self), limit: limit, to: out) }
    }

    /// The arguments of a tool call, `{}` where there are none.
    func appendArguments(of call: AuditEvent.Call, limit: Int, bareNames: Bool = false, to out: LineBuffer) {
        let hasPrinted: Bool? = call.params?.withUnsafeReadableBytes { params in
            guard let arguments = JSONMember.value("arguments", in: params.bindMemory(to: UInt8.self)) else {
                return false
            }
            appendBody(arguments, limit: limit, bareNames: bareNames, to: out)
            return true
        }
        if hasPrinted != true { out.append("{}") }
    }

    /// An error's message: its first line that holds anything, without what ``QuotedSecrets`` finds.
    func appendMessage(_ message: String, limit: Int, to out: LineBuffer) {
        firstLine(message, limit: limit).withUnsafeBufferPointer { JSONText.append($0, limit: limit, to: out) }
    }

    /// The same without quotes, for a place that something else delimits.
    func appendFreeMessage(_ message: String, limit: Int, to out: LineBuffer) {
        firstLine(message, limit: limit).withUnsafeBufferPointer { JSONText.appendFree($0, limit: limit, to: out) }
    }

    private func firstLine(_ message: String, limit: Int) -> [UInt8] {
        let line = message.utf8.split(maxSplits: 1, omittingEmptySubsequences: true) { $0 == 0x0A || $0 == 0x0D }.first
        // Far behind the limit nothing is searched: what would be hidden there is cut.
        let text = line.map { Array($0.prefix(limit * 8)) } ?? []
        return text.withUnsafeBufferPointer { QuotedSecrets.hide($0, names: names) } ?? text
    }

    private func appendCut(_ text: [UInt8], limit: Int, to out: LineBuffer) {
        var length = min(limit, text.count)
        // Not in the middle of a character.
        while length > 0, length < text.count, text[length] & 0xC0 == 0x80 { length -= 1 }
        out.append(UInt8(ascii: "\""))
        text.withUnsafeBufferPointer {
            JSONText.appendContent(UnsafeBufferPointer(rebasing: $0.prefix(length)), to: out)
        }
        if length < text.count { out.append(JSONText.cutMark) }
        out.append(UInt8(ascii: "\""))
    }
}
