internal import Glibc

/// `metrics`: where they are scraped.
struct MetricsReader {
    let reading: Reading

    static let keys = ["listen"]

    /// nil together with a problem.
    func read(_ section: Section) -> MetricsSettings? {
        guard section.has("listen") else {
            reading.refuse(
                section.position, "metrics.listen is missing; it holds address and port, such as \"127.0.0.1:9464\"")
            return nil
        }
        guard let text = section.nonEmptyText("listen") else { return nil }
        guard let settings = Self.settings(text.value) else {
            reading.refuse(
                text.position,
                "metrics.listen: '\(printable(text.raw))' is no address and port "
                    + "(valid: \"127.0.0.1:9464\", \"[::1]:9464\", or \":9464\" for 127.0.0.1)")
            return nil
        }
        if !Self.isLoopback(settings.host) {
            reading.warn(
                text.position,
                "metrics.listen lets every host in that reaches \(settings.address): metrics name tools and files, "
                    + "and ask for no password")
        }
        return settings
    }

    private static func settings(_ text: String) -> MetricsSettings? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.utf8.first != 0x30, let port = Int(digits), port <= 65535
        else { return nil }
        var host = String(text[..<colon])
        if host.isEmpty || host == "localhost" { return MetricsSettings(port: port) }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            var address = in6_addr()
            return inet_pton(AF_INET6, host, &address) == 1 ? MetricsSettings(host: host, port: port) : nil
        }
        var address = in_addr()
        return inet_pton(AF_INET, host, &address) == 1 ? MetricsSettings(host: host, port: port) : nil
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "::1" || host.hasPrefix("127.")
    }
}
