import CSpawn
import Glibc
import Testing

@Suite struct PeerCredentialsTests {
    @Test("the other end of a Unix socket is known by process, user and group")
    func unixSocket() throws {
        var ends: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        var peer = gk_peer()
        #expect(gk_peer_credentials(ends[0], &peer) == 0)
        #expect(peer.pid == getpid())
        #expect(peer.uid == geteuid())
        #expect(peer.gid == getegid())
    }

    @Test("what is no socket is refused with the kernel's word")
    func noSocket() throws {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var peer = gk_peer()
        #expect(gk_peer_credentials(ends[0], &peer) == ENOTSOCK)
        #expect(gk_peer_credentials(-1, &peer) == EBADF)
    }
}
