// The process that outlives the daemon for a second, so that nothing else does.
#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// Static, since the watcher may be forked while another thread holds the allocator's lock.
static pid_t groups[GK_WATCHED_GROUPS_MAX];
static int group_count;

static void forget_at(int index) {
    groups[index] = groups[--group_count];
}

static void note(pid_t told) {
    pid_t group = told > 0 ? told : -told;
    for (int i = 0; i < group_count; i++) {
        if (groups[i] != group) continue;
        if (told < 0) forget_at(i);
        return;
    }
    // A group number of 0 or 1 would signal our own group or every process there is.
    if (told > 1 && group_count < GK_WATCHED_GROUPS_MAX) groups[group_count++] = told;
}

static void signal_groups(int signal_number) {
    for (int i = group_count - 1; i >= 0; i--) {
        // Gone once is gone for good: the number may be somebody else's next time.
        if (kill(-groups[i], signal_number) != 0 && errno == ESRCH) forget_at(i);
    }
}

static void end_groups(void) {
    enum { STEPS = 100, STEP_MILLISECONDS = 10 };
    signal_groups(SIGTERM);
    // A stopped process handles nothing but SIGKILL until it is told to continue.
    signal_groups(SIGCONT);
    for (int i = 0; i < STEPS && group_count > 0; i++) {
        struct timespec step = {0, STEP_MILLISECONDS * 1000000L};
        nanosleep(&step, NULL);
        signal_groups(0);
    }
    signal_groups(SIGKILL);
}

static void ignore_signals(void) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    // A service manager that stops the whole control group signals the watcher too; only the daemon's end ends it.
    for (int signal_number = 1; signal_number < NSIG; signal_number++) sigaction(signal_number, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void watch(int fd) {
    ignore_signals();
    setsid();
    prctl(PR_SET_NAME, "gatekit-watch");
    // Not even the standard streams: a client that waits for the end of our output must not wait for the watcher, and
    // no directory of the operator's stays busy.
    if (dup2(fd, 0) < 0 || close_range(1, ~0U, 0) != 0 || chdir("/") != 0) _exit(1);
    group_count = 0;
    for (;;) {
        pid_t told = 0;
        ssize_t count = recv(0, &told, sizeof told, 0);
        if (count == (ssize_t)sizeof told) {
            note(told);
        } else if (count == 0 || errno != EINTR) {
            break;
        }
    }
    end_groups();
    _exit(0);
}

int gk_watcher_start(int *socket_fd, pid_t *pid) {
    int ends[2];
    // Sequenced packets keep each message whole, and unlike a pipe can be written without raising SIGPIPE.
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    int error = errno;
    if (child == 0) watch(ends[1]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error;
    }
    *socket_fd = ends[0];
    *pid = child;
    return 0;
}

int gk_watcher_tell(int socket_fd, pid_t group) {
    // Never waits: the watcher reads at once, so a full socket means that it is stopped, and an unwatched program is
    // not started.
    ssize_t count;
    do {
        count = send(socket_fd, &group, sizeof group, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? errno : 0;
}
