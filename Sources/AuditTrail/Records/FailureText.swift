import GatewayEvents

/// What a failed call reads in the tool-call log: `Class: message`.
enum FailureText {
    /// Our own words and the classes that they are printed as.
    private static let own: [(reason: String, name: StaticString)] = [
        ("timeout", "Timeout"), ("cancelled", "Cancelled"), ("upstream_exited", "UpstreamExited"),
        ("upstream_unavailable", "UpstreamUnavailable"), ("connection_lost", "ConnectionLost"),
        ("too_large", "TooLarge"), ("shutting_down", "ShuttingDown"), ("overloaded", "Overloaded"),
    ]

    /// A class of our own where the gateway ended the call; else the text's own class if it begins with one; else
    /// `MCPError(code)` for an error, `ToolError` for a result that says `isError`.
    ///
    /// Text of others that begins with one of our own classes is printed behind theirs: only we can say `Timeout`.
    static func append(_ failure: AuditEvent.Failure, _ redaction: Redaction, to out: LineBuffer) {
        if let reason = failure.reason {
            let known = own.first { $0.reason == reason }
            out.append(known?.name ?? "GatewayError")
            out.append(": ")
        } else if !beginsWithClass(failure.message) {
            if let code = failure.code {
                out.append("MCPError(")
                out.append(decimal: code)
                out.append("): ")
            } else {
                out.append("ToolError: ")
            }
        }
        let start = out.count
        redaction.appendFreeMessage(failure.message, limit: PrintedLimit.text, to: out)
        if out.count == start { out.append("no message") }
    }

    /// Whether `text` begins with a name as classes have, `ConnectionError: ` or `requests.exceptions.Timeout: `: its
    /// last part begins with a capital letter.
    private static func beginsWithClass(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var partStart = 0
            for (index, byte) in bytes.prefix(129).enumerated() {
                switch byte {
                case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): continue
                case 0x30...0x39 where index > partStart: continue
                case UInt8(ascii: ".") where index > partStart: partStart = index + 1
                case UInt8(ascii: ":"):
                    guard index > partStart, bytes[partStart] >= 0x41, bytes[partStart] <= 0x5A,
                        index + 1 < bytes.count, bytes[index + 1] == 0x20
                    else { return false }
                    let name = bytes[..<index]
                    return !name.elementsEqual("Blocked".utf8)
                        && !own.contains { own in own.name.withUTF8Buffer { $0.elementsEqual(name) } }
                default: return false
                }
            }
            return false
        }
    }
}
