internal import Crypto

/// A secret of 256 bits that signs request states.
public struct RequestStateKey: Sendable {
    /// The length of a key in bytes.
    public static let byteCount = 32

    /// Keyed once: each use begins with a copy, which saves the key schedule.
    private let keyed: HMAC<SHA256>

    /// A key from the system's random number generator.
    public init() {
        keyed = HMAC(key: SymmetricKey(size: .bits256))
    }

    /// A given key, for tests; `nil` unless it has ``byteCount`` bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        keyed = HMAC(key: SymmetricKey(data: bytes))
    }

    /// The code of `bytes`.
    func code(of bytes: some Collection<UInt8>) -> HMAC<SHA256>.MAC {
        var mac = keyed
        mac.update(data: Array(bytes))
        return mac.finalize()
    }
}

/// The keys that sign and verify request states (basic/patterns/mrtr, "Server Requirements", 4 and 5): the current one,
/// and those before it for as long as a state that they signed has not expired.
///
/// A state is HMAC-SHA256 over its key's number, its expiry, the id of the open call and a digest of caller and request.
/// Nothing in it is secret, and nothing can be learnt from it of who the caller is. It is *not* single-use: whoever
/// holds the open calls must take a call out of its table when the first state that names it is verified, and refuse
/// the second.
///
/// A value without clock: `now` is in seconds of whatever clock the caller uses, always the same one.
public struct RequestStateKeys: Sendable {
    private struct Numbered: Sendable {
        var number: UInt32
        var key: RequestStateKey
        /// When the last state that it signed expires; 0 when it signed none.
        var lastExpiry: UInt64 = 0
    }

    /// How many former keys may be waiting for their states to expire. One more rotation then keeps the current key.
    public static let maxPrevious = 64

    private var current: Numbered
    private var previous: [Numbered] = []
    private let lifetime: UInt64

    /// - Parameters:
    ///   - key: signs until the first rotation.
    ///   - lifetime: how long a state is good for, in seconds.
    public init(_ key: RequestStateKey, lifetime: UInt64) {
        current = Numbered(number: 0, key: key)
        self.lifetime = lifetime
    }

    /// Signs with `key` from now on; what the former key signed still verifies until it expires.
    ///
    /// - Returns: `false` when ``maxPrevious`` former keys are still needed: the current one stays then.
    @discardableResult
    public mutating func rotate(to key: RequestStateKey, at now: UInt64) -> Bool {
        previous.removeAll { $0.lastExpiry <= now }
        if current.lastExpiry > now {
            guard previous.count < Self.maxPrevious else { return false }
            previous.append(current)
        }
        current = Numbered(number: current.number &+ 1, key: key)
        return true
    }

    /// The text that stands for `state` until its lifetime is over: 92 characters of base64url.
    public mutating func issue(_ state: RequestState, at now: UInt64) -> String {
        let (end, overflows) = now.addingReportingOverflow(lifetime)
        let expiry = overflows ? UInt64.max : end
        current.lastExpiry = max(current.lastExpiry, expiry)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Layout.byteCount)
        bytes.append(Layout.version)
        bytes.appendBigEndian(current.number)
        bytes.appendBigEndian(expiry)
        bytes.appendBigEndian(state.callID)
        bytes.append(contentsOf: Self.digest(of: state.caller, state.request, current.key))
        bytes.append(contentsOf: current.key.code(of: bytes))
        return Base64Text.encode(bytes, .url)
    }

    /// The id of the open call that a retry continues.
    ///
    /// - Parameters:
    ///   - text: `params.requestState` of the retry.
    ///   - caller: who sent it.
    ///   - request: what the retry repeats.
    public func verify(
        _ text: String, caller: String, request: RequestBinding, at now: UInt64
    ) throws(RequestStateError) -> UInt64 {
        guard text.utf8.count == Layout.textCount, let bytes = Base64Text.decode(text.utf8, .url),
            bytes.first == Layout.version
        else { throw .malformed }
        let number = UInt32(truncatingIfNeeded: bytes.integer(Layout.number))
        guard let key = number == current.number ? current.key : previous.first(where: { $0.number == number })?.key,
            // Codes compare themselves with bytes in constant time.
            key.code(of: bytes[..<Layout.code.lowerBound]) == bytes[Layout.code]
        else { throw .forged }
        guard now < bytes.integer(Layout.expiry) else { throw .expired }
        // The signature vouches for what stands there, so nothing can be tried out here and time tells nothing.
        guard Self.digest(of: caller, request, key).elementsEqual(bytes[Layout.digest]) else { throw .foreign }
        return bytes.integer(Layout.callID)
    }

    /// Where the parts stand. What is signed begins with the version, what is digested with another byte: so the two
    /// uses of a key are kept apart.
    private enum Layout {
        static let version: UInt8 = 1
        static let digestPrefix: UInt8 = 0xC0
        static let number = 1..<5
        static let expiry = 5..<13
        static let callID = 13..<21
        static let digest = 21..<37
        static let code = 37..<69
        static let byteCount = 69
        static let textCount = 92
    }

    /// Whom and what a state is for, under the key, lest somebody who sees it can find out by trial.
    private static func digest(of caller: String, _ request: RequestBinding, _ key: RequestStateKey) -> [UInt8] {
        // UTF-8 has no byte of 0xFF, so that the texts cannot run into each other.
        var bytes: [UInt8] = [Layout.digestPrefix]
        bytes.reserveCapacity(12 + caller.utf8.count + request.method.utf8.count + request.target.utf8.count)
        bytes.append(contentsOf: caller.utf8)
        bytes.append(0xFF)
        bytes.append(contentsOf: request.method.utf8)
        bytes.append(0xFF)
        bytes.append(contentsOf: request.target.utf8)
        bytes.append(0xFF)
        bytes.appendBigEndian(request.arguments)
        return Array(key.code(of: bytes).prefix(Layout.digest.count))
    }
}

extension [UInt8] {
    fileprivate mutating func appendBigEndian(_ integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate func integer(_ range: Range<Int>) -> UInt64 {
        self[range].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
