import Foundation
import Testing

@testable import GatewayConfiguration

/// The schema that editors use, and the reader that has the last word: one language.
@Suite("etc/gatekit.schema.json")
struct ConfigurationSchemaTests {
    let schema: JSONSchema
    let places: [SchemaPlace]

    init() throws {
        schema = try Self.shipped()
        places = try SchemaWalk(schema: schema).places()
    }

    static func shipped() throws -> JSONSchema {
        try JSONSchema(Array(try Data(contentsOf: URL(fileURLWithPath: path))))
    }

    private static let path = ConfigurationReaderTests.shippedFolder + "gatekit.schema.json"

    /// What the reader says of a file, apart from what this version cannot do yet: the schema describes the language.
    static func problems(_ yaml: String) -> [ConfigurationProblem] {
        do throws(ConfigurationError) {
            _ = try ConfigurationFixture.read(yaml)
            return []
        } catch {
            return error.problems.filter { !$0.message.contains("is not available in this version") }
        }
    }

    private func messages(_ place: SchemaPlace, _ value: YAMLValue) throws -> [String] {
        Self.problems(try place.file(value).yaml).map(\.message)
    }

    /// The words of `(valid: …)` at the end of the only problem.
    private func valid(_ place: SchemaPlace, _ value: YAMLValue, _ prefix: String) throws -> [String] {
        let messages = try messages(place, value)
        let message = try #require(messages.first, "\(place.name): nothing is refused")
        #expect(messages.count == 1 && message.contains(prefix), "\(place.name): \(messages)")
        let start = try #require(message.range(of: "(valid: ", options: .backwards), "\(place.name): \(message)")
        return message[start.upperBound...].dropLast().components(separatedBy: ", ").map { word in
            guard let first = word.first, word.count > 1, first == word.last, "'\"".contains(first) else { return word }
            return String(word.dropFirst().dropLast())
        }
    }

    @Test("it is JSON, which is less than YAML")
    func json() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.path))
        #expect(try JSONSerialization.jsonObject(with: data) is [String: Any])
    }

    @Test("every mapping has exactly the keys that the reader knows")
    func keys() throws {
        var open: Set<String> = []
        var closed = 0
        for place in places {
            for object in place.objects {
                guard object["additionalProperties"]?.string == "false" else {
                    open.insert(place.name)
                    continue
                }
                closed += 1
                let properties = object["properties"]?.entries ?? []
                // Beside `policy` and the like, since an entry without a known policy is not read further.
                let member = YAMLValue.map([("zzzzzz", .text("x"))])
                let file = try place.file(member)
                let known = try valid(place, withRequired(member, object), "unknown key 'zzzzzz'")
                #expect(Set(known) == Set(properties.map(\.key)), "\(place.name)")
                #expect(try !schema.problems(of: file).isEmpty, "\(place.name)")
            }
        }
        // Variables have any name, servers their own; what `config` holds depends on `policy`.
        #expect(
            open == [
                "proxy.upstream.env", "plugins.security", "plugins.auditing", "plugins.security[0].config",
                "plugins.security._global[0].config", "plugins.auditing[0].config",
                "plugins.auditing._global[0].config",
            ])
        #expect(closed > 20)
    }

    /// The mapping with the members that it needs, as another member's file has them.
    private func withRequired(_ value: YAMLValue, _ object: YAMLValue) throws -> YAMLValue {
        try SchemaWalk(schema: schema).completed(value, object)
    }

    @Test("every list of words is the reader's, with its aliases")
    func words() throws {
        let modes = Set(FileAuditingReader.modeAliases.keys)
        let aliases: [String: Set<String>] = [
            "plugins.auditing.config.format": Set(FileAuditingReader.formatAliases.keys),
            "plugins.auditing.config.mode": modes,
            "plugins.auditing.config.csv_config.delimiter": Set(FileAuditingReader.delimiterAliases.keys),
        ]
        var checked = 0
        for place in places {
            guard let words = place.words else { continue }
            checked += 1
            let known = try valid(place, .text("zzzzzz"), "zzzzzz")
            let general = place.name.replacing("._global", with: "").replacing("[0]", with: "")
            let isJournalFormat = general.hasSuffix("config.format") && known.count == 3
            let others = isJournalFormat ? [] : aliases[general] ?? []
            #expect(words.count == Set(words).count, "\(place.name)")
            #expect(Set(words) == Set(known).union(others), "\(place.name)")
            for word in words {
                // A policy's name decides what else its entry needs.
                if place.name.hasSuffix(".policy") { continue }
                #expect(try accepted(place, .text(word)), "\(place.name): \(word)")
            }
            #expect(try !schema.problems(of: place.file(.text("zzzzzz"))).isEmpty, "\(place.name)")
        }
        #expect(checked > 15)
    }

    /// Whether the reader takes a value that the schema takes; other keys that the value asks for come from the schema.
    private func accepted(_ place: SchemaPlace, _ value: YAMLValue) throws -> Bool {
        let file = try place.file(value)
        return try schema.problems(of: file).isEmpty && Self.problems(file.yaml).isEmpty
    }

    @Test("the reader takes both ends of every range and nothing beyond")
    func ranges() throws {
        var checked = 0
        for place in places {
            #expect(
                place.range != nil || !place.schemas.contains { ["integer", "number"].contains($0["type"]?.string) })
            guard let range = place.range else { continue }
            checked += 1
            let low = try #require(range["minimum"]?.number, "\(place.name)")
            let high = try #require(range["maximum"]?.number, "\(place.name)")
            let isWhole = range["type"]?.string == "integer"
            func plain(_ number: Double) -> YAMLValue { .plain(isWhole ? String(Int(number)) : String(number)) }
            for bound in [low, high] { #expect(try accepted(place, plain(bound)), "\(place.name): \(bound)") }
            let step = isWhole ? 1 : 0.0001
            for beyond in [low - step, high + step] {
                #expect(
                    try messages(place, plain(beyond)).contains { $0.contains("out of range") },
                    "\(place.name): \(beyond)")
                #expect(try !schema.problems(of: place.file(plain(beyond))).isEmpty, "\(place.name): \(beyond)")
            }
            #expect(try accepted(place, .text("${NUMBER:-\(isWhole ? String(Int(high)) : String(high))}")))
            #expect(
                try !messages(place, .plain("true")).isEmpty && !schema.problems(of: place.file(.plain("true"))).isEmpty
            )
        }
        #expect(checked > 15)
    }

    @Test("flags are flags, and may come from a variable")
    func flags() throws {
        var checked = 0
        for place in places where place.schemas.contains(where: { $0["type"]?.string == "boolean" }) {
            checked += 1
            for value in [YAMLValue.plain("true"), .plain("False"), .text("${FLAG:-true}")] {
                // A security policy may not be uncritical, and that is no flag in the schema.
                #expect(try accepted(place, value), "\(place.name)")
            }
            for value in [YAMLValue.text("true"), .plain("yes"), .plain("1"), .plain("~")] {
                #expect(try !messages(place, value).isEmpty, "\(place.name): \(value.yaml)")
                #expect(try !schema.problems(of: place.file(value)).isEmpty, "\(place.name): \(value.yaml)")
            }
        }
        #expect(checked > 5)
        for place in places where place.schemas.contains(where: { $0["const"]?.string == "true" }) {
            #expect(try accepted(place, .plain("true")), "\(place.name)")
            #expect(try !messages(place, .plain("false")).isEmpty, "\(place.name)")
            #expect(try !schema.problems(of: place.file(.plain("false"))).isEmpty, "\(place.name)")
        }
    }

    @Test("the reader needs what the schema requires, and no more")
    func required() throws {
        var checked = 0
        for place in places {
            for object in place.objects where object["additionalProperties"]?.string == "false" {
                let walk = SchemaWalk(schema: schema)
                let least = try walk.completed(.map([]), object)
                #expect(try messages(place, least) == [], "\(place.name): \(least.yaml)")
                #expect(try schema.problems(of: place.file(least)).isEmpty, "\(place.name): \(least.yaml)")
                for entry in least.entries ?? [] {
                    checked += 1
                    let rest = (least.entries ?? []).filter { $0.key != entry.key }.map { ($0.key, $0.value) }
                    #expect(
                        try messages(place, .map(rest)).contains {
                            $0.contains(" is missing") && $0.contains(entry.key)
                        },
                        "\(place.name): \(entry.key)")
                    #expect(try !schema.problems(of: place.file(.map(rest))).isEmpty, "\(place.name): \(entry.key)")
                }
            }
        }
        #expect(checked > 10)
    }

    @Test("a default written out changes nothing")
    func defaults() throws {
        var checked = 0
        for place in places {
            guard let value = place.defaultValue, let key = place.name.split(separator: ".").last else { continue }
            let with = try place.file(value)
            let without = try place.file(.plain("zzzzzz")).without(String(key))
            #expect(Self.problems(with.yaml).isEmpty, "\(with.yaml)")
            #expect(Self.problems(without.yaml).isEmpty, "\(without.yaml)")
            // Features that are not available have no settings yet.
            guard let one = try? ConfigurationFixture.read(with.yaml).settings,
                let two = try? ConfigurationFixture.read(without.yaml).settings
            else { continue }
            checked += 1
            #expect(one == two, "\(place.name)")
        }
        #expect(checked > 20)
    }

    @Test("permissions are the same in every spelling")
    func permissions() throws {
        for name in ["proxy.unix.mode", "plugins.auditing[0].config.file_mode"] {
            let place = try #require(places.first { $0.name == name })
            var taken: Set<Int> = []
            for mode in 0o300..<0o1000 {
                let digits = String(mode, radix: 8)
                for spelling in [digits, "0\(digits)", "0o\(digits)"] {
                    for value in [YAMLValue.text(spelling), .plain(spelling)] {
                        let isValid = try schema.problems(of: place.file(value)).isEmpty
                        // A plain 0o640 is the number 416, from which a plain 416 cannot be told.
                        let other = value.number.map { YAMLValue.text("0o" + String(Int($0), radix: 8)) }
                        let isOther = try isValid && other.map { try messages(place, $0).isEmpty } ?? false
                        #expect(try isOther || messages(place, value).isEmpty == isValid, "\(name): \(value.yaml)")
                        if isValid, let number = value.number { taken.insert(Int(number)) }
                    }
                }
            }
            #expect(taken == Set(place.numbers), "\(name)")
        }
    }
}
