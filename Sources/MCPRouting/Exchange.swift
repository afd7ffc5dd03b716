/// One exchange of a session: a request of the transport and what belongs to its answer. Over HTTP each POST is one, and
/// the same JSON-RPC id may be in flight in several of them at once; a line door has none.
///
/// The door numbers them; a number is not used again while a request of it is in flight.
public struct Exchange: Hashable, Sendable {
    /// What belongs to the session as a whole: everything on a line door; server requests, logs and list changes
    /// elsewhere.
    public static let session = Exchange(number: 0)

    /// 0 for ``session``.
    public let number: UInt32

    /// Names an exchange.
    public init(number: UInt32) {
        self.number = number
    }
}
