internal import EraTranslation
internal import Glibc
internal import JSONRPCWire
internal import NIOCore

/// The status of an answer in JSON: errors of the protocol have one of their own.
enum ModernStatus {
    /// Longer answers are results: the gateway's own errors are short, and an upstream's has no need of a status.
    private static let longestError = 16 * 1024

    /// `message` is a whole response.
    static func of(_ message: ByteBuffer, within maxDepth: Int) -> HTTPStatus {
        guard mayBeError(message), case .message(let scan) = MessageScanner(maxDepth: maxDepth).scan(message),
            scan.kind == .error, let code = JSONText.integer(scan[.errorCode], in: message)
        else { return .ok }
        return ProtocolError.httpStatus(of: code).flatMap(HTTPStatus.init(rawValue:)) ?? .ok
    }

    /// A search, so that only what looks like an error is scanned once more.
    private static func mayBeError(_ message: ByteBuffer) -> Bool {
        guard message.readableBytes <= longestError else { return false }
        let word: StaticString = #""error""#
        return message.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            var offset = 0
            while let found = memchr(base + offset, 0x22, bytes.count - offset) {
                let start = UnsafeRawPointer(found) - base
                guard start + word.utf8CodeUnitCount <= bytes.count else { return false }
                if memcmp(found, word.utf8Start, word.utf8CodeUnitCount) == 0 { return true }
                offset = start + 1
            }
            return false
        }
    }
}
