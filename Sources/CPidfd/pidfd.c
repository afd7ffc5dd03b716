#define _GNU_SOURCE
#include "CPidfd.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int gk_pidfd_open(pid_t pid, int *fd) {
    long opened = syscall(SYS_pidfd_open, pid, 0);
    if (opened < 0) return errno;
    *fd = (int)opened;
    return 0;
}

int gk_pidfd_signal(int fd, int signal) {
    return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0 ? 0 : errno;
}
