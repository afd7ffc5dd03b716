/// What one connection has been let in with: clients send the same head over and over, and the rules look at it once.
///
/// The token is left out and checked every time, since a proxy may send several clients through one connection. Belongs
/// to a connection and one set of rules; the door makes a new one when the rules have changed.
struct AdmissionMemory: Sendable {
    private var good: RequestHead?

    /// The same verdict as ``HTTPRules/admit(_:)``.
    mutating func admit(_ head: RequestHead, by rules: HTTPRules) -> Result<HTTPIdentity, HTTPRefusal> {
        let known = head.withoutCredentials
        if good == known { return rules.identity(head) }
        let verdict = rules.admit(head)
        if case .success = verdict { good = known }
        return verdict
    }
}
