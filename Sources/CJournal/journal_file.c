#define _GNU_SOURCE
#include "journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int fill(int file, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t taken = write(file, bytes, length);
        if (taken < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        bytes += taken;
        length -= (size_t)taken;
    }
    // journald refuses a file that could still change.
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    return fcntl(file, F_ADD_SEALS, seals) == 0 ? 0 : errno;
}

static int pass(int socket, int file) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {0};
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &file, sizeof(int));
    while (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

int cjournal_send_file(int socket, const void *bytes, size_t length) {
    int file = memfd_create("gatekit-journal-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0) return errno;
    int code = fill(file, bytes, length);
    if (code == 0) code = pass(socket, file);
    close(file);
    return code;
}

int cjournal_waker(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}
