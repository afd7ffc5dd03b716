internal import AuditTrail

/// Notices when an audit sink gets into trouble or out of it, so that the log tells each once. A pure value.
struct SinkWatch {
    /// One line for the log.
    struct News: Hashable {
        var isTrouble: Bool
        var text: String
    }

    private var former: [String: SinkStatus] = [:]

    /// What has changed since the last look.
    mutating func news(of sinks: [SinkStatus]) -> [News] {
        var news: [News] = []
        for sink in sinks {
            let before = former[sink.name]
            if !sink.isOpen, before?.isOpen != false {
                news.append(
                    News(
                        isTrouble: true,
                        text: "\(sink.name) cannot take records, requests get -32005: \(sink.reason ?? "unknown")"))
            } else if sink.isOpen, before?.isOpen == false {
                news.append(News(isTrouble: false, text: "\(sink.name) takes records again"))
            } else if sink.isOpen, let reason = sink.reason, before?.reason != reason {
                news.append(News(isTrouble: true, text: "\(sink.name): \(reason)"))
            } else if let error = sink.lastError, sink.isOpen, before?.lastError != error {
                news.append(News(isTrouble: true, text: "\(sink.name): \(error)"))
            }
        }
        former = Dictionary(sinks.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        return news
    }
}
