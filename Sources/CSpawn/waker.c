// The spawn thread's name, and how the event loop gets its attention.
#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

int gk_waker_open(int *fd) {
    *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return *fd < 0 ? errno : 0;
}

int gk_waker_wake(int fd) {
    return eventfd_write(fd, 1) == 0 ? 0 : errno;
}

int gk_waker_rest(int fd) {
    eventfd_t count;
    return eventfd_read(fd, &count) == 0 ? 0 : errno;
}

void gk_name_thread(const char *name) {
    prctl(PR_SET_NAME, name);
}
