public import JSONRPCWire
internal import NIOCore

/// The policies of one snapshot, in the order in which they look at a message. Immutable, so that any thread may ask.
public struct PolicyChain: Sendable {
    private let policies: [any Policy]
    private let scanner: MessageScanner

    /// Takes the policies lowest priority first. `maxDepth` is the configured nesting cap, for results that one policy
    /// rewrote and the next one reads.
    public init(_ policies: [any Policy] = [], maxDepth: Int = 128) {
        self.policies = policies
        self.scanner = MessageScanner(maxDepth: maxDepth)
    }

    /// What the chain as a whole says of a request.
    public enum Admission: Sendable {
        /// Forward `message`; `plugin` is the last policy that looked, if any did.
        case allowed(Message, plugin: String?)
        /// Answer with the refusal.
        case refused(Refusal)
    }

    /// Asks each policy in turn; the first refusal ends it.
    public func admit(_ request: PolicyRequest) -> Admission {
        var request = request
        var stamp: String?
        for policy in policies {
            switch policy.review(request) {
            case .notConcerned: continue
            case .allow: stamp = policy.name
            case .refuse(let refusal): return .refused(refusal)
            case .rewrite(let message):
                stamp = policy.name
                request.message = message
            }
        }
        return .allowed(request.message, plugin: stamp)
    }

    /// What the chain as a whole says of a result.
    public enum Review: Sendable {
        /// Deliver `message`; `changes` names the policies that rewrote it, with what they took out.
        case deliver(Message, changes: [(plugin: String, change: ResultChange)])
        /// Answer with the refusal.
        case refused(Refusal)
    }

    /// Whether a response to `method` must go through ``review(_:of:)`` at all.
    public func reviewsResults(of method: String) -> Bool {
        policies.contains { $0.reviewsResults(of: method) }
    }

    /// Asks each policy in turn about a result or an error; each sees what the one before it left. May run on a worker.
    public func review(_ result: Message, of method: String) -> Review {
        var message = result
        var changes: [(plugin: String, change: ResultChange)] = []
        let isError = result.scan.kind == .error
        for policy in policies where policy.reviewsResults(of: method) && (!isError || policy.reviewsErrors) {
            switch policy.review(result: message, of: method) {
            case .pass: continue
            case .refuse(let refusal): return .refused(refusal)
            case .rewrite(let bytes, let change):
                guard case .message(let scan) = scanner.scan(bytes) else {
                    preconditionFailure("policy \(policy.name) rewrote a \(method) result into something unreadable")
                }
                message = Message(bytes: bytes, scan: scan)
                changes.append((policy.name, change))
            }
        }
        return .deliver(message, changes: changes)
    }

    /// Whether a tool of this name may be seen and called: the answer of ``admit(_:)`` without a message.
    public func permits(tool: String) -> Bool {
        policies.allSatisfy { ($0 as? ToolAllowlist)?.permits(tool) ?? true }
    }
}
