internal import JSONRPCWire
internal import NIOCore

/// One argument of a tool: its name, and what may stand there.
struct ToolParameter: Sendable {
    enum Kind: Sendable {
        case text, count, flag, texts, edits
    }

    let name: String
    let kind: Kind
    let isRequired: Bool
    let description: String

    static func required(_ name: String, _ kind: Kind, _ description: String) -> ToolParameter {
        ToolParameter(name: name, kind: kind, isRequired: true, description: description)
    }

    static func optional(_ name: String, _ kind: Kind, _ description: String) -> ToolParameter {
        ToolParameter(name: name, kind: kind, isRequired: false, description: description)
    }

    /// The arguments every tool with excludes takes.
    static let excludes = optional(
        "excludePatterns", .texts, "Leave out entries that match one of these patterns, and all below them.")

    /// Appends the JSON Schema of all parameters.
    static func appendSchema(of parameters: [ToolParameter], to buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"type\":\"object\",\"properties\":{")
        for (index, parameter) in parameters.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            JSONText.appendQuoted(parameter.name, to: &buffer)
            buffer.writeStaticString(":{")
            buffer.writeStaticString(parameter.kind.schema)
            buffer.writeStaticString(",\"description\":")
            JSONText.appendQuoted(parameter.description, to: &buffer)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("},\"required\":[")
        for (index, parameter) in parameters.filter(\.isRequired).enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            JSONText.appendQuoted(parameter.name, to: &buffer)
        }
        buffer.writeStaticString("],\"additionalProperties\":false}")
    }
}

extension ToolParameter.Kind {
    fileprivate var schema: StaticString {
        switch self {
        case .text: #""type":"string""#
        case .count: #""type":"integer","minimum":1"#
        case .flag: #""type":"boolean""#
        case .texts: #""type":"array","items":{"type":"string"}"#
        case .edits:
            #"""
            "type":"array","minItems":1,"items":{"type":"object","properties":{\#
            "oldText":{"type":"string","description":"Text to find; exactly one place may match."},\#
            "newText":{"type":"string","description":"Text to put there."}},\#
            "required":["oldText","newText"],"additionalProperties":false}
            """#
        }
    }
}
