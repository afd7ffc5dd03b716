/// `proxy.http`, and the files that it names.
struct HTTPDoorReader {
    let reading: Reading

    static let keys = [
        "host", "port", "path", "allowed_origins", "allowed_hosts", "max_connections", "tokens_file", "tls",
    ]

    /// What the door answers besides MCP, and the path of the metrics' own port, which nobody shall take this one for.
    static let ownPaths = ["/healthz", "/readyz", "/metrics"]

    /// Defaults stand in for what is wrong; problems go to ``reading``.
    func read(_ section: Section) -> HTTPDoorSettings {
        var http = HTTPDoorSettings()
        if let port = section.integer("port", in: 1...65535) { http.port = port }
        if let count = section.integer("max_connections", in: 1...100_000) { http.maxConnections = count }
        if let path = path(section) { http.path = path }
        http.allowedOrigins = (section.texts("allowed_origins") ?? []).filter(isOrigin).map(\.value)
        http.allowedHosts = (section.texts("allowed_hosts") ?? []).filter(isHost).map(\.value)
        if let tls = section.section("tls", keys: ["certificate", "key"]) { http.tls = self.tls(tls) }
        http.tokensFile = section.path(of: "tokens_file")
        if let path = http.tokensFile { http.tokens = tokens(path, section) }
        if let text = section.nonEmptyText("host"), let host = host(text) {
            http.host = host.host
            checkReach(host, http, section)
        }
        return http
    }

    private func path(_ section: Section) -> String? {
        guard let text = section.nonEmptyText("path") else { return nil }
        let shown = printable(text.raw)
        if !text.value.hasPrefix("/") {
            reading.refuse(text.position, "proxy.http.path must begin with '/', got '\(shown)'")
        } else if !text.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"?#%\\".utf8.contains($0) }) {
            reading.refuse(
                text.position, "proxy.http.path '\(shown)' has a space, '?', '#', '%', '\\' or a non-ASCII character")
        } else if Self.ownPaths.contains(text.value) {
            reading.refuse(
                text.position, "proxy.http.path '\(shown)' is the gateway's own; name another one, such as /mcp")
        } else {
            return text.value
        }
        return nil
    }

    private func host(_ text: Text) -> HostAndPort? {
        // An address is written without brackets here, since the port has a key of its own.
        if !text.value.hasPrefix("["), let host = HostAndPort(host: text.value, port: nil) { return host }
        reading.refuse(
            text.position,
            "proxy.http.host: '\(printable(text.raw))' is no address or name (an IPv6 address has no brackets here, "
                + "and the port goes to proxy.http.port)")
        return nil
    }

    private func isOrigin(_ text: Text) -> Bool {
        if WebOrigin(text.value) != nil { return true }
        reading.refuse(
            text.position,
            "\(text.name): '\(printable(text.raw))' is no origin (valid: scheme://host or scheme://host:port, without a "
                + "slash at the end; or null)")
        return false
    }

    private func isHost(_ text: Text) -> Bool {
        if HostAndPort(text.value) != nil { return true }
        reading.refuse(
            text.position,
            "\(text.name): '\(printable(text.raw))' is no host (valid: host or host:port; IPv6 in brackets)")
        return false
    }

    private func tokens(_ path: String, _ section: Section) -> [String: TokenDigest] {
        guard let file = file(path, section, "tokens_file") else { return [:] }
        let tokens = TokensFile(file, path: path)
        reading.add(problems: tokens.problems, warnings: tokens.warnings)
        return tokens.tokens
    }

    private func file(_ path: String, _ section: Section, _ key: String) -> RegularFile? {
        do throws(RegularFile.Failure) {
            return try reading.files.file(path)
        } catch {
            // The path may come from a variable: named as it is written.
            let written = section.text(key).map { " '\(printable($0.raw))'" } ?? ""
            reading.refuse(section.position(of: key), "\(section.path(key)): the file\(written) \(error.message)")
            return nil
        }
    }

    private func tls(_ section: Section) -> TLSFiles? {
        for key in ["certificate", "key"] where !section.has(key) {
            reading.refuse(
                section.position, "\(section.path(key)) is missing; TLS needs a certificate and its key, both as PEM")
        }
        var certificate: RegularFile?
        var key: RegularFile?
        let certificatePath = section.path(of: "certificate")
        let keyPath = section.path(of: "key")
        if let certificatePath, let file = file(certificatePath, section, "certificate") {
            if PEM.holdsCertificate(file.bytes) {
                certificate = file
            } else {
                refuse(certificatePath, "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
            }
        }
        if let keyPath, let file = file(keyPath, section, "key") {
            if let exposure = file.exposure {
                reading.add(warnings: [
                    ConfigurationProblem(file: keyPath, message: "\(exposure); chmod it to 0600 or 0640")
                ])
            }
            switch PEM.key(in: file.bytes) {
            case .plain: key = file
            case .encrypted:
                refuse(
                    keyPath,
                    "holds an encrypted private key, and nobody is asked for a passphrase; decrypt it with "
                        + "openssl pkey -in FILE -out FILE")
            case nil: refuse(keyPath, "holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)")
            }
        }
        guard let certificatePath, let keyPath, let certificate, let key else { return nil }
        return TLSFiles(
            certificatePath: certificatePath, keyPath: keyPath, certificate: certificate.bytes,
            key: SecretBytes(key.bytes))
    }

    private func refuse(_ path: String, _ message: String) {
        reading.add(problems: [ConfigurationProblem(file: path, message: message)])
    }

    /// Who can reach the door, and what protects it then.
    private func checkReach(_ host: HostAndPort, _ http: HTTPDoorSettings, _ section: Section) {
        if host.isLoopback { return }
        let position = section.position(of: "host")
        guard section.has("tokens_file") else {
            return reading.refuse(
                position,
                "proxy.http.host is beyond loopback, where a door needs tokens; set proxy.http.tokens_file, or host to "
                    + "127.0.0.1")
        }
        if !section.has("tls") {
            reading.warn(
                position,
                "proxy.http: tokens and messages cross the network in clear; set proxy.http.tls, or keep host on loopback "
                    + "behind a proxy that does TLS")
        }
        if host.isWildcard, http.allowedHosts.isEmpty {
            reading.warn(
                position,
                "proxy.http.host stands for every address, and only localhost is answered; list the names that clients "
                    + "use in proxy.http.allowed_hosts")
        }
    }
}

/// What a PEM file seems to hold (RFC 7468), before anybody parses it.
enum PEM {
    enum Key: Hashable {
        case plain, encrypted
    }

    static func holdsCertificate(_ bytes: [UInt8]) -> Bool {
        lines(bytes).contains { $0 == "-----BEGIN CERTIFICATE-----" }
    }

    /// nil for none. PKCS #8, and the older forms of OpenSSL.
    static func key(in bytes: [UInt8]) -> Key? {
        let lines = lines(bytes)
        if lines.contains(where: { $0 == "-----BEGIN ENCRYPTED PRIVATE KEY-----" || $0.hasPrefix("Proc-Type: 4,ENC") })
        {
            return .encrypted
        }
        return lines.contains { $0.hasPrefix("-----BEGIN ") && $0.hasSuffix("PRIVATE KEY-----") } ? .plain : nil
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            .map { line in
                let end = line.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? line.startIndex
                return String(decoding: line[..<end], as: UTF8.self)
            }
    }
}
