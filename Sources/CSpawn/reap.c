// Noticing that a process ended, and reaping it, as two steps.
#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int gk_peek(int pidfd, struct gk_end *end) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return errno;
    if (info.si_pid == 0) return EAGAIN;
    end->signalled = info.si_code != CLD_EXITED;
    end->value = info.si_status;
    return 0;
}

int gk_reap(int pidfd) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0) return errno;
    return info.si_pid == 0 ? EAGAIN : 0;
}

pid_t gk_any_zombie(void) {
    siginfo_t info = {0};
    // ECHILD, no children at all, is the usual answer for a daemon that has nothing to reap.
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return 0;
    return info.si_pid;
}

int gk_reap_pid(pid_t pid) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) != 0) return errno;
    return info.si_pid == 0 ? EAGAIN : 0;
}

int gk_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : errno;
}
