public import JSONRPCWire
public import NIOCore

/// What a client lets a server ask it (`ClientCapabilities` in the schema of either era).
public struct ClientFeatures: OptionSet, Hashable, Sendable {
    /// One bit for each.
    public let rawValue: UInt8

    /// Takes the bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// `sampling`.
    public static let sampling = ClientFeatures(rawValue: 1)
    /// `sampling.tools`: requests for samples may bring tools.
    public static let samplingTools = ClientFeatures(rawValue: 2)
    /// `elicitation.form`, or `elicitation` without saying which.
    public static let elicitationForm = ClientFeatures(rawValue: 4)
    /// `elicitation.url`.
    public static let elicitationURL = ClientFeatures(rawValue: 8)
    /// `roots`.
    public static let roots = ClientFeatures(rawValue: 16)

    /// Elicitation in whatever mode.
    public static let elicitation: ClientFeatures = [.elicitationForm, .elicitationURL]
}

extension ClientFeatures {
    /// Reads a `ClientCapabilities` object. What is no object declares nothing.
    public init(_ capabilities: ByteRange, in bytes: ByteBuffer) {
        let span = bytes.readableBytesSpan
        var features: ClientFeatures = []
        var items = ItemCursor(capabilities, in: span)
        while let (key, value) = items.next(span) {
            guard JSONText.kind(of: value, in: bytes) == .object else { continue }
            if JSONText.equals(key, "sampling", in: bytes) {
                features.insert(.sampling)
                if Self.has("tools", value, bytes) { features.insert(.samplingTools) }
            } else if JSONText.equals(key, "elicitation", in: bytes) {
                let hasURL = Self.has("url", value, bytes)
                if hasURL { features.insert(.elicitationURL) }
                // An empty object means forms (client/elicitation, "Capabilities").
                if !hasURL || Self.has("form", value, bytes) { features.insert(.elicitationForm) }
            } else if JSONText.equals(key, "roots", in: bytes) {
                features.insert(.roots)
            }
        }
        self = features
    }

    private static func has(_ name: StaticString, _ object: ByteRange, _ bytes: ByteBuffer) -> Bool {
        let span = bytes.readableBytesSpan
        var items = ItemCursor(object, in: span)
        while let (key, value) = items.next(span) {
            if JSONText.equals(key, name, in: bytes) { return JSONText.kind(of: value, in: bytes) == .object }
        }
        return false
    }

    /// The `ClientCapabilities` object that declares exactly these.
    public var capabilities: ByteBuffer {
        var object = ObjectText(capacity: 64)
        if contains(.samplingTools) {
            object.member("sampling", json: #"{"tools":{}}"#)
        } else if contains(.sampling) {
            object.member("sampling", json: "{}")
        }
        if isSuperset(of: .elicitation) {
            object.member("elicitation", json: #"{"form":{},"url":{}}"#)
        } else if contains(.elicitationURL) {
            object.member("elicitation", json: #"{"url":{}}"#)
        } else if contains(.elicitationForm) {
            object.member("elicitation", json: "{}")
        }
        if contains(.roots) { object.member("roots", json: "{}") }
        return object.finished()
    }

    /// The names of the capabilities, for messages.
    var names: [String] {
        var names: [String] = []
        if contains(.sampling) { names.append("sampling") }
        if contains(.samplingTools) { names.append("sampling.tools") }
        if contains(.elicitationForm) { names.append("elicitation") }
        if contains(.elicitationURL) { names.append("elicitation.url") }
        if contains(.roots) { names.append("roots") }
        return names
    }
}
