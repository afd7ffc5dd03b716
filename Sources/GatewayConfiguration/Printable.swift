/// The text for use in a message: control, format and separator characters escaped, and cut after 60 characters.
func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(60) {
        if isPrintable(scalar) {
            result.unicodeScalars.append(scalar)
        } else {
            result += "\\u{\(String(scalar.value, radix: 16))}"
        }
    }
    return text.unicodeScalars.count > 60 ? result + "…" : result
}

/// The name of a variable for use in a message, where it reads like one. A line of an unquoted key or token that spilled
/// into `.env` reads as a name too, and must not be shown.
func variableName(_ name: String) -> String {
    let isName =
        name.utf8.count <= 48
        && name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
            default: false
            }
        }
    return isName ? name : "a word of \(name.utf8.count) bytes that is no usual name"
}

/// Whether a character can stand in a log line without forging another or turning the text around.
func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
}

/// The candidate that a mistyped name most likely meant: at most two edits away, and at most a third of its length.
func nearestName(to name: String, among candidates: [String]) -> String? {
    // Nobody mistypes a name of hundreds of characters, and the distance costs the product of the lengths.
    guard name.utf8.count <= 64 else { return nil }
    let lowered = Array(name.lowercased().utf8)
    return
        candidates
        .map { (name: $0, distance: editDistance(lowered, Array($0.lowercased().utf8))) }
        .filter { $0.distance <= max(1, min(2, $0.name.utf8.count / 3)) }
        .min { $0.distance < $1.distance }?.name
}

/// Levenshtein's distance.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (leftIndex, leftByte) in left.enumerated() {
        var diagonal = row[0]
        row[0] = leftIndex + 1
        for (rightIndex, rightByte) in right.enumerated() {
            let substituted = diagonal + (leftByte == rightByte ? 0 : 1)
            diagonal = row[rightIndex + 1]
            row[rightIndex + 1] = min(substituted, diagonal + 1, row[rightIndex] + 1)
        }
    }
    return row[right.count]
}
