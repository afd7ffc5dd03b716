extension Oracle {
    static func html(_ text: Text) -> Text {
        var stage = HTML(text: text)
        stage.data()
        return stage.output
    }

    /// The tokenizer, a function for each state that matters here.
    private struct HTML {
        let text: Text
        var index = 0
        var output: Text = []

        private var current: Unicode.Scalar? { index < text.count ? text[index] : nil }

        private func follows(_ prefix: String) -> Bool {
            text[index...].starts(with: Array(prefix.unicodeScalars))
        }

        private func isLetter(_ offset: Int) -> Bool {
            index + offset < text.count && ("a"..."z" ~= text[index + offset] || "A"..."Z" ~= text[index + offset])
        }

        mutating func data() {
            while let scalar = current {
                if scalar != "<" {
                    output.append(scalar)
                    index += 1
                } else if isLetter(1) {
                    tag(isStart: true)
                } else if follows("</"), isLetter(2) {
                    tag(isStart: false)
                } else if follows("</>") {
                    index += 3
                } else if follows("</") {
                    keep(through: text[index...].firstIndex(of: ">"))
                } else if follows("<!--") {
                    comment()
                } else if follows("<!") || follows("<?") {
                    skip(through: text[index...].firstIndex(of: ">"))
                } else {
                    output.append("<")
                    index += 1
                }
            }
        }

        private mutating func keep(through end: Int?) {
            let end = end.map { $0 + 1 } ?? text.count
            output += text[index..<end]
            index = end
        }

        private mutating func skip(through end: Int?) {
            index = end.map { $0 + 1 } ?? text.count
        }

        private mutating func comment() {
            index += 4
            for whole in [">", "->"] where follows(whole) {
                index += whole.unicodeScalars.count
                return
            }
            while index < text.count {
                for end in ["-->", "--!>"] where follows(end) {
                    index += end.unicodeScalars.count
                    return
                }
                index += 1
            }
        }

        private static let blocks = Set(
            """
            address article aside blockquote details dialog dd div dl dt fieldset figcaption figure footer form h1 h2 \
            h3 h4 h5 h6 header hgroup hr li main nav ol p pre section table ul
            """.split(separator: " ").map { String($0) })

        private func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            [" ", "\t", "\n", "\u{C}", "\r"].contains(scalar)
        }

        private mutating func tag(isStart: Bool) {
            let start = index
            index += isStart ? 1 : 2
            let name = text[index...].prefix { !isSpace($0) && $0 != "/" && $0 != ">" }
            index = name.endIndex
            if current == nil {
                output += text[start...]
                return
            }
            switch attributes() {
            case .closed:
                let text = String(String.UnicodeScalarView(name.map { $0.isASCII ? lowered($0) : $0 }))
                // Compared by scalars: a String would also equal a canonically equivalent one.
                if isStart, Self.blocks.contains(where: { $0.unicodeScalars.elementsEqual(text.unicodeScalars) }),
                    !output.isEmpty
                {
                    output.append("\n")
                }
            case .literal: output += text[start...]
            case .removed: break
            }
        }

        private func lowered(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
            "A"..."Z" ~= scalar ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar
        }

        private enum End {
            case closed, literal, removed
        }

        /// From behind the name to the end of the tag.
        private mutating func attributes() -> End {
            while true {
                // Before an attribute.
                while let scalar = current, isSpace(scalar) || scalar == "/" { index += 1 }
                guard let first = current else { return .removed }
                if first == ">" { return closed() }
                // Its name, of which an equals sign may be the first character.
                repeat { index += 1 } while current.map { !isSpace($0) && !"/>=".unicodeScalars.contains($0) } ?? false
                // Behind it.
                while let scalar = current, isSpace(scalar) { index += 1 }
                guard let next = current else { return .literal }
                if next != "=" { continue }
                index += 1
                if let end = value() { return end }
            }
        }

        private mutating func closed() -> End {
            index += 1
            return .closed
        }

        /// `nil` where the tag goes on.
        private mutating func value() -> End? {
            while let scalar = current, isSpace(scalar) { index += 1 }
            guard let first = current else { return .removed }
            if first == ">" { return closed() }
            if first == "\"" || first == "'" {
                guard let end = text[(index + 1)...].firstIndex(of: first) else {
                    index = text.count
                    return .removed
                }
                index = end + 1
                return nil
            }
            while let scalar = current, !isSpace(scalar), scalar != ">" { index += 1 }
            return current == nil ? .literal : nil
        }
    }
}
