public import JSONRPCWire

/// Policy `output_sanitization` without its configuration: takes out of a response what strangers may have written for
/// a model to read and no person to see.
///
/// Sanitised are `content[].text`, `content[].resource.text`, `title` and `description` of resource links, and all
/// strings of `structuredContent`; of an error all strings of `message` and `data`. Inside `structuredContent` and
/// `data` strings in more than 32 containers stay as they are. A string that is a JSON object or array is sanitised
/// value by value, at any depth. Member names, numbers, base64, structure and the spelling of everything that stays
/// are kept byte for byte. Sanitising twice is sanitising once.
///
/// A value without state: any thread may use it. Time grows with the length of the response, memory is bounded by a
/// small multiple of it, and a response with nothing to take out is only read, without an allocation.
public struct OutputSanitizer: Sendable {
    /// Up to how many containers deep the strings of `structuredContent` and of an error's `data` are sanitised.
    public static let maxDepth = 32

    private let stages: SanitizerStages

    /// Makes a sanitizer that does what the operator decided.
    public init(_ options: SanitizerOptions = SanitizerOptions()) {
        stages = options.stages
    }

    /// Looks at the result of a tool, or at the error that came instead; which methods those are is for the caller to
    /// know. Requests and notifications are left alone.
    ///
    /// - Returns: the whole response anew, with the same id, when there was something to take out; else `nil`. It has
    ///   to be scanned again before anyone reads ranges from it.
    public func sanitize(_ response: Message) -> SanitizedResponse? {
        var pass = ResponsePass(stages)
        return pass.run(response)
    }

    /// The same for a task that a modern server tells of, in the result of `tasks/get` or in a `notifications/tasks`
    /// (extensions/tasks, "Polling"): the tool's result stands inside.
    public func sanitizeTask(_ message: Message) -> SanitizedResponse? {
        var pass = ResponsePass(stages)
        return pass.runTask(message)
    }
}
