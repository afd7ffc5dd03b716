/// `proxy`: doors, times and caps; the upstream has its own reader.
struct ProxyReader {
    let reading: Reading

    static let keys = ["transport", "unix", "http", "upstream", "timeouts", "limits"]

    /// Fills `settings`; problems go to ``reading``.
    func read(_ proxy: Section, into settings: inout Settings) {
        if proxy.has("transport") {
            settings.transports = transports(proxy)
        }
        if let unix = proxy.section("unix", keys: ["path", "mode", "group"]) {
            settings.unix = self.unix(unix)
            if !settings.transports.contains(.unix) {
                reading.warn(proxy.keyPosition(of: "unix"), "proxy.unix has no effect: transport does not name 'unix'")
            }
        }
        if let http = proxy.section(
            "http", keys: ["host", "port", "path", "allowed_origins", "allowed_hosts", "tokens_file"])
        {
            settings.http = self.http(http)
        }
        if let times = proxy.section(
            "timeouts", keys: ["connection_timeout", "request_timeout", "idle_session_timeout", "shutdown_timeout"])
        {
            settings.timeouts = timeouts(times)
        }
        if let caps = proxy.section(
            "limits", keys: ["max_message_bytes", "max_depth", "max_sessions", "max_pending_per_session"])
        {
            settings.limits = limits(caps)
        }
    }

    private func transports(_ proxy: Section) -> [Transport] {
        let texts: [Text]
        if let value = proxy.value("transport"), case .sequence(let values) = value.content {
            texts = proxy.texts("transport") ?? []
            if values.isEmpty {
                reading.refuse(
                    value.position, "proxy.transport names no door (valid: stdio, unix, http, or a list of these)")
            }
        } else {
            texts = proxy.text("transport", expected: "a transport or a list of them").map { [$0] } ?? []
        }
        var result: [Transport] = []
        for text in texts {
            guard let transport: Transport = Section.choice(text, noun: "transport", reading: reading) else { continue }
            if result.contains(transport) {
                reading.refuse(text.position, "proxy.transport names '\(transport.rawValue)' twice")
            }
            result.append(transport)
        }
        return result
    }

    private func unix(_ section: Section) -> UnixDoorSettings {
        var unix = UnixDoorSettings()
        if let text = section.text("path"), let path = reading.path(text) {
            // sun_path has 108 bytes and ends with NUL (unix(7)).
            if path.utf8.count <= 107 {
                unix.path = path
            } else {
                reading.refuse(
                    text.position, "proxy.unix.path is longer than 107 bytes, the longest that a socket takes")
            }
        }
        let mode = section.permissions("mode", valid: "\"0600\" to \"0666\", readable and writable by the owner") {
            $0 & 0o600 == 0o600 && $0 & ~0o666 == 0
        }
        if let mode {
            unix.mode = mode
            if mode & 0o006 != 0 {
                reading.warn(section.position(of: "mode"), "proxy.unix.mode lets every local user in")
            }
        }
        unix.group = section.group("group")
        return unix
    }

    private func http(_ section: Section) -> HTTPDoorSettings {
        var http = HTTPDoorSettings()
        if let host = section.nonEmptyText("host") { http.host = host.value }
        if let port = section.integer("port", in: 1...65535) { http.port = port }
        if let path = section.nonEmptyText("path") {
            if path.value.hasPrefix("/") {
                http.path = path.value
            } else {
                reading.refuse(path.position, "proxy.http.path must begin with '/', got '\(printable(path.raw))'")
            }
        }
        http.allowedOrigins = section.texts("allowed_origins")?.map(\.value) ?? []
        http.allowedHosts = section.texts("allowed_hosts")?.map(\.value) ?? []
        http.tokensFile = section.path(of: "tokens_file")
        return http
    }

    private func timeouts(_ section: Section) -> Timeouts {
        var times = Timeouts()
        // The gateway's clock ticks ten times a second.
        if let time = section.number("connection_timeout", in: 0.1...3600, unit: "seconds") { times.connection = time }
        if let time = section.number("request_timeout", in: 0.1...86400, unit: "seconds") { times.request = time }
        if let time = section.number("idle_session_timeout", in: 0...31_536_000, unit: "seconds") {
            times.idleSession = time
        }
        if let time = section.number("shutdown_timeout", in: 0.1...3600, unit: "seconds") { times.shutdown = time }
        return times
    }

    private func limits(_ section: Section) -> Limits {
        var limits = Limits()
        if let cap = section.integer("max_message_bytes", in: 1024...1_073_741_824) { limits.maxMessageBytes = cap }
        if let cap = section.integer("max_depth", in: 8...512) { limits.maxDepth = cap }
        if let cap = section.integer("max_sessions", in: 1...100_000) { limits.maxSessions = cap }
        if let cap = section.integer("max_pending_per_session", in: 1...100_000) { limits.maxPendingPerSession = cap }
        return limits
    }
}
