/// What breaks a rule of the gateway in a text that is otherwise JSON.
///
/// A trivial value, so that the scan of a sound message pays nothing for it; the text is made when it is needed.
struct Violation {
    enum Rule {
        case repeatedKnownName(Int, Level)
        case lookAlike(Int, Level)
        case repeatedName(Level)
        case surrogateInName(Level)
        case message(MessageRule)
    }

    /// The rules about the message as a whole, each with what a client is told.
    enum MessageRule: String {
        case versionMissing = "jsonrpc is missing, it must be \"2.0\""
        case version = "jsonrpc must be \"2.0\""
        case nothing = "a message must have a method, a result or an error"
        case methodAndOutcome = "a message with a method may have neither result nor error"
        case methodKind = "method must be a string"
        case methodSurrogate = "method has a lone surrogate"
        case paramsKind = "params must be an object"
        case resultAndError = "a response may have a result or an error, not both"
        case resultWithoutID = "a result must have an id"
        case errorKind = "error must be an object"
        case id = "id must be a string or a number of at most 1024 bytes"
    }

    var rule: Rule
    /// The byte at which it was noticed.
    var offset: Int

    /// Why the message is refused; never quotes it.
    func reason(_ table: NameTable) -> String {
        switch rule {
        case .repeatedKnownName(let name, let level):
            "duplicate member \"\(table.names[name].text)\" in \(level.title)"
        case .lookAlike(let name, let level):
            "a member of \(level.title) differs from \"\(table.names[name].text)\" by letter case only"
        case .repeatedName(let level): "duplicate member in \(level.title)"
        case .surrogateInName(let level): "a member name in \(level.title) has a lone surrogate"
        case .message(let rule): rule.rawValue
        }
    }
}
