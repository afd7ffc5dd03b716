/// What makes an object a JSON-RPC message: version, id, method, and which of them go together.
extension EnvelopeScan {
    /// Tells the kind of the message, or notes why it is none.
    mutating func decideKind(_ scan: MessageScan, _ bytes: RawSpan, at open: Int) -> MessageKind {
        guard isVersionTwo(bytes) else {
            note(.message(version.isPresent ? .version : .versionMissing), at: open)
            return .notification
        }
        return scan[.method].isPresent ? decideCall(scan, bytes) : decideResponse(scan, bytes, at: open)
    }

    private mutating func decideCall(_ scan: MessageScan, _ bytes: RawSpan) -> MessageKind {
        let method = scan[.method]
        if bytes.byte(Int(method.lower)) != UInt8(ascii: "\"") {
            note(.message(.methodKind), at: Int(method.lower))
        } else if !Unescaping.isText(method.insideQuotes, of: bytes) {
            note(.message(.methodSurrogate), at: Int(method.lower))
        }
        if scan[.result].isPresent || scan[.error].isPresent {
            note(.message(.methodAndOutcome), at: Int(method.lower))
        }
        let params = scan[.params]
        if params.isPresent, bytes.byte(Int(params.lower)) != UInt8(ascii: "{") {
            note(.message(.paramsKind), at: Int(params.lower))
        }
        guard scan[.id].isPresent else { return .notification }
        noteUnusableID(scan[.id], bytes)
        return .request
    }

    private mutating func decideResponse(_ scan: MessageScan, _ bytes: RawSpan, at open: Int) -> MessageKind {
        let error = scan[.error]
        guard error.isPresent else {
            guard scan[.result].isPresent else {
                note(.message(.nothing), at: open)
                return .notification
            }
            if scan[.id].isPresent {
                noteUnusableID(scan[.id], bytes)
            } else {
                note(.message(.resultWithoutID), at: open)
            }
            return .result
        }
        if scan[.result].isPresent {
            note(.message(.resultAndError), at: Int(error.lower))
        }
        if bytes.byte(Int(error.lower)) != UInt8(ascii: "{") {
            note(.message(.errorKind), at: Int(error.lower))
        }
        // Null or nothing: the other side could not read the id that it answers (JSON-RPC 2.0 §5).
        if scan[.id].isPresent, bytes.byte(Int(scan[.id].lower)) != UInt8(ascii: "n") {
            noteUnusableID(scan[.id], bytes)
        }
        return .error
    }

    private mutating func noteUnusableID(_ id: ByteRange, _ bytes: RawSpan) {
        if !RequestID.isReadable(id, in: bytes) {
            note(.message(.id), at: Int(id.lower))
        }
    }

    private func isVersionTwo(_ bytes: RawSpan) -> Bool {
        if version.count == 5, bytes.partialWord(Int(version.lower), count: 5) == 0x22_302E_3222 { return true }
        return version.isPresent && JSONText.equals(version, "2.0", in: bytes)
    }

    /// The answer to a message that breaks a rule.
    func rejection(for violation: Violation, _ scan: MessageScan, _ bytes: RawSpan, _ table: NameTable)
        -> Rejection
    {
        let id = scan[.id]
        let isAnswerable = id.isPresent && !isIDAmbiguous && RequestID.isReadable(id, in: bytes)
        return Rejection(
            code: -32600, reason: violation.reason(table), offset: violation.offset, id: isAnswerable ? id : .absent,
            isResponse: !scan[.method].isPresent && (scan[.result].isPresent || scan[.error].isPresent))
    }
}
