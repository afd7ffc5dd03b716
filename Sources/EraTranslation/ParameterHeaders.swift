public import JSONRPCWire
internal import NIOCore

/// Which parameters of one tool a client repeats in `Mcp-Param-…` headers: the `x-mcp-header` annotations of its input
/// schema (basic/transports/streamable-http, "Custom Headers from Tool Parameters").
///
/// Read from the pages of `tools/list` by ``ToolPage``, kept per tool by the caller.
public struct ParameterHeaders: Hashable, Sendable {
    struct Parameter: Hashable, Sendable {
        /// The names of the properties that lead to the value, from the arguments on.
        var path: [String]
        /// The header's name as the schema spells it.
        var header: String
        /// The same in lower case, for comparison.
        var lowercaseHeader: String
    }

    var parameters: [Parameter]

    /// The names of the headers, as the schema spells them.
    public var names: [String] { parameters.map(\.header) }

    /// Checks a `tools/call` of this tool against its headers ("Server Behavior for Custom Headers").
    ///
    /// A header and its argument must both be there and agree, or both be absent (null is absent). Headers that the
    /// schema does not know are ignored. Values are in no error, since parameters may be confidential.
    ///
    /// - Throws: -32020 (HTTP 400).
    public func check(_ headers: RequestHeaders, against call: Message) throws(ProtocolError) {
        var values = [ByteRange](repeating: .absent, count: parameters.count)
        var repeated: Int?
        collect(
            call.scan[.paramsArguments], of: call.bytes, depth: 0, among: Array(parameters.indices), into: &values,
            &repeated)
        if let repeated {
            throw .headerMismatch("the argument of \(parameters[repeated].header) occurs twice")
        }
        for (parameter, value) in zip(parameters, values) {
            let name = parameter.header
            let given = headers.parameters.filter { $0.name == parameter.lowercaseHeader }
            guard given.count < 2 else { throw .headerMismatch("\(name) occurs twice") }
            let isNeeded = Self.isMirrored(value, in: call.bytes)
            guard let header = given.first?.value else {
                if isNeeded { throw .headerMismatch("\(name) is missing, but its argument is given") }
                continue
            }
            guard isNeeded else { throw .headerMismatch("\(name) is given, but its argument is not") }
            guard let text = RequestHeaders.decoded(header) else {
                throw .headerMismatch("\(name) is not well encoded")
            }
            guard Self.agrees(text, with: value, of: call.bytes) else {
                throw .headerMismatch("\(name) does not match its argument")
            }
        }
    }

    /// Finds the arguments in one pass for all parameters; `candidates` are those whose paths lead here.
    private func collect(
        _ object: ByteRange, of bytes: ByteBuffer, depth: Int, among candidates: [Int], into values: inout [ByteRange],
        _ repeated: inout Int?
    ) {
        guard !candidates.isEmpty, JSONText.kind(of: object, in: bytes) == .object else { return }
        let span = bytes.readableBytesSpan
        var visited: [Int] = []
        var items = ItemCursor(object, in: span)
        while let (key, value) = items.next(span) {
            let name = KeyName(key, in: bytes)
            guard let first = candidates.first(where: { name.equals(parameters[$0].path[depth], in: span) }) else {
                continue
            }
            // Which one counts would depend on the reader.
            guard !visited.contains(first) else {
                repeated = first
                return
            }
            visited.append(first)
            let matching = candidates.filter { name.equals(parameters[$0].path[depth], in: span) }
            for index in matching where parameters[index].path.count == depth + 1 { values[index] = value }
            collect(
                value, of: bytes, depth: depth + 1, among: matching.filter { parameters[$0].path.count > depth + 1 },
                into: &values, &repeated)
        }
    }

    /// A member's name, unescaped where it has escapes, to be compared with many others as bytes.
    private struct KeyName {
        private let content: ByteRange
        private var unescaped: [UInt8]?

        init(_ key: ByteRange, in bytes: ByteBuffer) {
            content = ByteRange(Int(key.lower) + 1, Int(key.upper) - 1)
            guard bytes.piece(content).readableBytesView.contains(UInt8(ascii: "\\")) else { return }
            // A lone surrogate makes a name that equals none; 0xFF is in no text either.
            unescaped = JSONText.string(key, in: bytes).map { Array($0.utf8) } ?? [0xFF]
        }

        @inline(__always)
        func equals(_ name: String, in span: RawSpan) -> Bool {
            let name = name.utf8
            if let unescaped { return unescaped.elementsEqual(name) }
            guard content.count == name.count else { return false }
            var offset = Int(content.lower)
            for byte in name {
                guard JSONWalk.byte(span, offset) == byte else { return false }
                offset &+= 1
            }
            return true
        }
    }

    /// Whether a client has to repeat the value: null counts as absent, and what is no primitive has no text.
    private static func isMirrored(_ value: ByteRange, in bytes: ByteBuffer) -> Bool {
        switch JSONText.kind(of: value, in: bytes) {
        case .string, .number, .true, .false: true
        case .object, .array, .null: false
        }
    }

    private static func agrees(_ header: String, with value: ByteRange, of bytes: ByteBuffer) -> Bool {
        switch JSONText.kind(of: value, in: bytes) {
        case .string: JSONText.string(value, in: bytes)?.utf8.elementsEqual(header.utf8) ?? false
        case .true: header == "true"
        case .false: header == "false"
        case .number: number(header, agreesWith: value, of: bytes)
        case .object, .array, .null: false
        }
    }

    /// Integers compare as numbers, so that `42.0` and `42` are equal ("Server Validation"); others as they are written.
    private static func number(_ header: String, agreesWith value: ByteRange, of bytes: ByteBuffer) -> Bool {
        if header.utf8.elementsEqual(bytes.piece(value).readableBytesView) { return true }
        guard let integer = JSONText.integer(value, in: bytes) else { return false }
        let parts = header.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.count <= 2, whole.first != UInt8(ascii: "+") else { return false }
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].allSatisfy({ $0 == UInt8(ascii: "0") }) else { return false }
        }
        return Int(Substring(whole)) == integer
    }
}
