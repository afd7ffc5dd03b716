import GatewayConfiguration
import Testing

@testable import HTTPDoor

@Suite("TLSContext")
struct TLSContextTests {
    private static func files(_ certificate: String, _ key: String) -> TLSFiles {
        TLSFiles(
            certificatePath: "/c.pem", keyPath: "/k.pem", certificate: Array(certificate.utf8),
            key: SecretBytes(Array(key.utf8)))
    }

    /// While the certificate is valid.
    static let now = 1795366134
    /// Ones that fit.
    static var validFiles: TLSFiles { files(certificate, key) }

    @Test("a chain and its key make a context")
    func valid() throws {
        #expect(try TLSContext(Self.files(Self.certificate, Self.key), now: Self.now).warnings == [])
        let both = Self.key + Self.certificate
        #expect(try TLSContext(Self.files(both, both), now: Self.now).warnings == [])
    }

    @Test(
        "what does not work names the file and nothing of the key",
        arguments: [
            (certificate, otherKey, "/k.pem: does not fit the first certificate of /c.pem"),
            (certificate, broken(key), "/k.pem: cannot be read as a PEM private key"),
            (broken(certificate), key, "/c.pem: cannot be read as a PEM certificate chain"),
            (certificate + broken(certificate), key, "/c.pem: cannot be read as a PEM certificate chain"),
            ("", key, "/c.pem: "), (certificate, "", "/k.pem: cannot be read as a PEM private key"),
        ])
    func mistakes(_ certificate: String, _ key: String, _ start: String) throws {
        let failure = #expect(throws: TLSFailure.self) {
            _ = try TLSContext(Self.files(certificate, key), now: Self.now)
        }
        let text = try #require(failure).description
        #expect(text.hasPrefix(start), "\(text)")
        #expect(!text.contains("MIGH"))
    }

    @Test(
        "a certificate whose time is over, near its end or to come is worth a warning",
        arguments: [
            (1795279734 - 1, ["/c.pem: the certificate is not valid yet"]), (1795279734, []),
            (4948879734 - 8 * 86400, []),
            (4948879734 - 3 * 86400, ["/c.pem: the certificate expires in 3 days"]),
            (4948879734, ["/c.pem: the certificate has expired; clients will refuse it"]),
        ])
    func time(_ now: Int, _ warnings: [String]) throws {
        #expect(try TLSContext(Self.files(Self.certificate, Self.key), now: now).warnings == warnings)
    }

    /// The block's lines without its third.
    private static func broken(_ pem: String) -> String {
        pem.split(separator: "\n").enumerated().filter { $0.offset != 2 }.map { $0.element + "\n" }.joined()
    }

    // Made with openssl for these tests alone; they protect nothing.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBljCCATugAwIBAgIUBkci3Kas1F6gk72oytD8JbCAqQwwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE2NDg1NFoYDzIxMjYxMDI4
        MTY0ODU0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAATFN1hxhw9jWinvvZPGl3xCtdk14yjcWBaPqafn7PQEgA/cbBn2ESs7
        qM6kZpZ+j927qOOvJySLVct3vNzfMFaDo2kwZzAdBgNVHQ4EFgQUbRXAEA3viPSh
        w6RVQT20BMSM3+IwHwYDVR0jBBgwFoAUbRXAEA3viPShw6RVQT20BMSM3+IwDwYD
        VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
        SQAwRgIhALB4I4LvUl3frPIkMznBsGDw4+uCNHu9UNKoR5GwIJN4AiEAobiFuJBG
        Rzf/ncjLWQNWBGdBNx1EGwXq/ilFGS3AWzI=
        -----END CERTIFICATE-----

        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgs+IPmTSR1NHXUBYV
        f7ly/BN6trBdW1vfy6w/+d36l2ChRANCAATFN1hxhw9jWinvvZPGl3xCtdk14yjc
        WBaPqafn7PQEgA/cbBn2ESs7qM6kZpZ+j927qOOvJySLVct3vNzfMFaD
        -----END PRIVATE KEY-----

        """
    private static let otherKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/DfPIq+Cb/zP7RCQ
        ymsyLT8x5OlCOKwE0zg6M0AJJNuhRANCAARHMKE8Q1QkGlB3OUGxzvz3nS+xLgE9
        bHIsd+rkpx1vtr2waEr6L6H9NtjgJo7txdJ2nqXgZXPYdAlR2R8Fi3NI
        -----END PRIVATE KEY-----

        """
}
