// Who connected, as the kernel knows it.
#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <sys/socket.h>

int gk_peer_credentials(int fd, struct gk_peer *peer) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return errno;
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    return 0;
}
