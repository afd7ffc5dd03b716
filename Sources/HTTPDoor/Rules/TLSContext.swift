internal import GatewayConfiguration
internal import NIOSSL

/// A door's TLS, made from the bytes that the configuration read.
struct TLSContext {
    /// For the handlers of new connections; those that are open keep theirs.
    let context: NIOSSLContext
    /// What an operator should know, each naming the file.
    let warnings: [String]

    /// Parses the chain and the key and joins them. `now` is in seconds since 1970-01-01 UTC.
    init(_ files: TLSFiles, now: Int) throws(TLSFailure) {
        let chain = try Self.chain(files)
        let key = try Self.key(files)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSFailure(
                "\(files.keyPath): does not fit the first certificate of \(files.certificatePath), or TLS does not take "
                    + "them: \(error)")
        }
        warnings = Self.warnings(chain[0], files.certificatePath, now: now)
    }

    /// Never empty.
    private static func chain(_ files: TLSFiles) throws(TLSFailure) -> [NIOSSLCertificate] {
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMBytes(files.certificate)
        } catch {
            throw TLSFailure("\(files.certificatePath): cannot be read as a PEM certificate chain: \(error)")
        }
        guard !certificates.isEmpty else { throw TLSFailure("\(files.certificatePath): holds no certificate") }
        return certificates
    }

    private static func key(_ files: TLSFiles) throws(TLSFailure) -> NIOSSLPrivateKey {
        do {
            return try NIOSSLPrivateKey(bytes: files.key.bytes, format: .pem)
        } catch {
            throw TLSFailure("\(files.keyPath): cannot be read as a PEM private key: \(error)")
        }
    }

    private static func warnings(_ certificate: NIOSSLCertificate, _ path: String, now: Int) -> [String] {
        if certificate.notValidAfter <= now { return ["\(path): the certificate has expired; clients will refuse it"] }
        if certificate.notValidBefore > now { return ["\(path): the certificate is not valid yet"] }
        let days = (certificate.notValidAfter - now) / 86400
        return days < 7 ? ["\(path): the certificate expires in \(days) days"] : []
    }
}

/// Why TLS cannot be offered.
struct TLSFailure: Error, CustomStringConvertible {
    /// Names the file and the reason, never anything of a key.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
