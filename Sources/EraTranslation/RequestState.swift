public import JSONRPCWire
internal import NIOCore

/// What a `requestState` stands for: one upstream call that is held open while its client is asked something.
public struct RequestState: Hashable, Sendable {
    /// Names the open call; chosen by the caller, who must not reuse it.
    public let callID: UInt64
    /// Who was asked, and who alone may answer: a principal, a session, a peer. Any text.
    public let caller: String
    /// The request that was answered with the state.
    public let request: RequestBinding

    /// Joins the three.
    public init(callID: UInt64, caller: String, request: RequestBinding) {
        self.callID = callID
        self.caller = caller
        self.request = request
    }
}

/// What makes a retry the retry of a certain request: its method, the tool, prompt or resource that it names, and its
/// arguments, with which the call that is held open runs.
public struct RequestBinding: Hashable, Sendable {
    /// The method.
    public let method: String
    /// `params.uri` of `resources/read`, else `params.name`; empty where there is none.
    public let target: String
    /// Of `params.arguments`, whatever their spelling; 0 where there are none. Means something in this process only.
    public let arguments: Int

    /// Joins the three.
    public init(method: String, target: String, arguments: Int = 0) {
        self.method = method
        self.target = target
        self.arguments = arguments
    }

    /// Reads a request.
    public init(of message: Message) {
        let bytes = message.bytes
        // A method is a string without lone surrogates, or the scanner had refused the message.
        method = JSONText.string(message.scan[.method], in: bytes) ?? ""
        let target = method == "resources/read" ? message.scan[.paramsURI] : message.scan[.paramsName]
        self.target = JSONText.string(target, in: bytes) ?? ""
        arguments = ArgumentsDigest.of(message.scan[.paramsArguments], in: bytes)
    }
}

/// Why a `requestState` is refused.
public enum RequestStateError: Error, Hashable, Sendable {
    /// It is no text of ours: wrong length, alphabet or format.
    case malformed
    /// Its signature is by no key that still verifies: tampered with, of another process, or long expired.
    case forged
    /// It is ours, but its time is over.
    case expired
    /// It is ours, but was given to another caller or in answer to another request.
    case foreign
    /// It is ours, but was used before, or the call that it stands for has ended.
    case used

    /// What the client is told: -32602, and not which of them it was, which is for the audit and the log alone.
    public var reply: ProtocolError {
        let detail = self == .used ? "was used before, or its call has ended" : "is \(self)"
        return ProtocolError(
            code: -32602, message: "invalid or expired requestState",
            data: ByteBuffer(string: #"{"reason":"invalid_request_state"}"#),
            detail: "refused a retry whose requestState \(detail)")
    }
}
