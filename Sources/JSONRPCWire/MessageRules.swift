/// What makes an object a JSON-RPC message: version, id, method, and which of them go together.
extension EnvelopeScan {
    /// Tells the kind of the message, or notes why it is none.
    mutating func decideKind(_ bytes: RawSpan, at open: Int) -> MessageKind {
        guard isVersionTwo(bytes) else {
            let isMissing = !version.isPresent
            note(isMissing ? "jsonrpc is missing, it must be \"2.0\"" : "jsonrpc must be \"2.0\"", at: open)
            return .notification
        }
        return scan[.method].isPresent ? decideCall(bytes) : decideResponse(bytes, at: open)
    }

    private mutating func decideCall(_ bytes: RawSpan) -> MessageKind {
        let method = scan[.method]
        if bytes.byte(Int(method.lower)) != UInt8(ascii: "\"") {
            note("method must be a string", at: Int(method.lower))
        } else if !Unescaping.isText(method.insideQuotes, of: bytes) {
            note("method has a lone surrogate", at: Int(method.lower))
        }
        if scan[.result].isPresent || scan[.error].isPresent {
            note("a message with a method may have neither result nor error", at: Int(method.lower))
        }
        let params = scan[.params]
        if params.isPresent, bytes.byte(Int(params.lower)) != UInt8(ascii: "{") {
            note("params must be an object", at: Int(params.lower))
        }
        guard scan[.id].isPresent else { return .notification }
        noteUnusableID(bytes)
        return .request
    }

    private mutating func decideResponse(_ bytes: RawSpan, at open: Int) -> MessageKind {
        let error = scan[.error]
        guard error.isPresent else {
            guard scan[.result].isPresent else {
                note("a message must have a method, a result or an error", at: open)
                return .notification
            }
            if scan[.id].isPresent {
                noteUnusableID(bytes)
            } else {
                note("a result must have an id", at: open)
            }
            return .result
        }
        if scan[.result].isPresent {
            note("a response may have a result or an error, not both", at: Int(error.lower))
        }
        if bytes.byte(Int(error.lower)) != UInt8(ascii: "{") {
            note("error must be an object", at: Int(error.lower))
        }
        // Null or nothing: the other side could not read the id that it answers (JSON-RPC 2.0 §5).
        if scan[.id].isPresent, bytes.byte(Int(scan[.id].lower)) != UInt8(ascii: "n") {
            noteUnusableID(bytes)
        }
        return .error
    }

    private mutating func noteUnusableID(_ bytes: RawSpan) {
        if !RequestID.isReadable(scan[.id], in: bytes) {
            note("id must be a string or a number of at most \(RequestID.maxByteCount) bytes", at: Int(scan[.id].lower))
        }
    }

    private func isVersionTwo(_ bytes: RawSpan) -> Bool {
        if version.count == 5, bytes.partialWord(Int(version.lower), count: 5) == 0x22_302E_3222 { return true }
        return version.isPresent && JSONText.equals(version, "2.0", in: bytes)
    }

    /// The answer to a message that breaks a rule.
    func rejection(for violation: Violation, _ bytes: RawSpan) -> Rejection {
        let id = scan[.id]
        let isAnswerable = id.isPresent && !isIDAmbiguous && RequestID.isReadable(id, in: bytes)
        return Rejection(
            code: -32600, reason: violation.reason, offset: violation.offset, id: isAnswerable ? id : .absent,
            isResponse: !scan[.method].isPresent && (scan[.result].isPresent || scan[.error].isPresent))
    }
}
