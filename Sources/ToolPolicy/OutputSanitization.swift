public import GatewayConfiguration
public import JSONRPCWire
internal import OutputSanitizer

/// Policy `output_sanitization`: what tools answer is text that strangers wrote, so what nobody sees and what poses as
/// markup or as an instruction is taken out of it. Results and errors of `tools/call` alike.
public final class OutputSanitization: Policy {
    /// `output_sanitization`.
    public let name = "output_sanitization"
    /// A failed call's message is a tool's text too.
    public let reviewsErrors = true
    private let sanitizer: OutputSanitizer

    /// Takes the operator's stages.
    public init(_ settings: OutputSanitizationSettings) {
        var stages: SanitizerStages = []
        for stage in settings.stages {
            switch stage {
            case .invisible: stages.insert(.invisible)
            case .markup: stages.insert(.markup)
            case .codeFences: stages.insert(.codeFences)
            }
        }
        sanitizer = OutputSanitizer(SanitizerOptions(stages: stages))
    }

    /// No request is its business.
    public func review(_ request: PolicyRequest) -> RequestVerdict { .notConcerned }

    /// Only what tools answer: at once, by a task (2025-11-25, basic/utilities/tasks), or by one of the modern era's
    /// extension, which may be told unasked.
    public func reviewsResults(of method: String) -> Bool {
        switch method {
        case "tools/call", "tasks/result", "tasks/get", "notifications/tasks": true
        default: false
        }
    }

    /// Rewrites the strings that hold something to take out; all other bytes stay.
    public func review(result: Message, of method: String) -> ResultVerdict {
        let isTask = method == "tasks/get" || method == "notifications/tasks"
        guard let sanitized = isTask ? sanitizer.sanitizeTask(result) : sanitizer.sanitize(result) else { return .pass }
        return .rewrite(sanitized.bytes, .sanitized(sanitized.removed))
    }
}
