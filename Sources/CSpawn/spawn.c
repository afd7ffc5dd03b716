// Fork and exec with nothing inherited that was not meant. Between fork and exec only async-signal-safe calls are
// made: other threads may have held any lock at the moment of the fork.
#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The child parks its error pipe here while everything above is closed, so the parent's ends all start one higher.
enum { ERROR_FD = 3, LOWEST_FD = 4 };

static void close_quietly(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

// A pipe whose ends are close-on-exec and out of the way of the child's descriptors 0 to 3, which is not a given: a
// daemon may itself have been started with a standard stream closed.
static int high_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) {
        ends[0] = ends[1] = -1;
        return errno;
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= LOWEST_FD) continue;
        int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, LOWEST_FD);
        if (moved < 0) {
            int error = errno;
            close_quietly(&ends[0]);
            close_quietly(&ends[1]);
            return error;
        }
        close(ends[i]);
        ends[i] = moved;
    }
    return 0;
}

static _Noreturn void fail_child(int error_fd, int stage, int error) {
    struct gk_failure failure = {stage, error};
    // Smaller than PIPE_BUF, hence whole or not at all; without a reader nobody is left to care.
    ssize_t ignored = write(error_fd, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

static void default_signals(void) {
    // The kernel's struct sigaction differs by architecture, but all zero is the default action on each of them. Its
    // own call, because glibc's keeps its hands off signals 32 and 33, which whoever started us may have ignored.
    const unsigned long default_action[8] = {0};
    // Fails for SIGKILL and SIGSTOP, which cannot have been changed either.
    for (int signal_number = 1; signal_number < NSIG; signal_number++) {
        syscall(SYS_rt_sigaction, signal_number, default_action, NULL, sizeof(uint64_t));
    }
}

struct plan {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *directory;
    int watcher;
    pid_t parent;
    int streams[3];
    int error_fd;
};

static _Noreturn void run_child(const struct plan *plan) {
    int error_fd = plan->error_fd;
    if (setpgid(0, 0) != 0) fail_child(error_fd, GK_STAGE_ISOLATE, errno);
    // SIGKILL, not SIGTERM: this is the backstop for a watcher that died with us (an operator's `pkill -9`, an OOM
    // kill of the whole family), when nobody is left to follow up on a TERM that was ignored. Whatever else is in the
    // group still gets its TERM and its second from the watcher.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail_child(error_fd, GK_STAGE_ISOLATE, errno);
    // A parent that died before the line above never sends the signal.
    if (getppid() != plan->parent) _exit(127);
    // Told here and not by the parent, so that there is no moment in which the program runs unwatched; and before the
    // standard streams are laid, which is where a daemon started without them may have its watcher's socket.
    int told = gk_watcher_tell(plan->watcher, getpid());
    if (told != 0) fail_child(error_fd, GK_STAGE_WATCHER, told);
    for (int i = 0; i < 3; i++) {
        if (dup2(plan->streams[i], i) < 0) fail_child(error_fd, GK_STAGE_ISOLATE, errno);
    }
    if (dup3(error_fd, ERROR_FD, O_CLOEXEC) < 0) fail_child(error_fd, GK_STAGE_ISOLATE, errno);
    error_fd = ERROR_FD;
    if (close_range(LOWEST_FD, ~0U, 0) != 0) fail_child(error_fd, GK_STAGE_ISOLATE, errno);
    if (chdir(plan->directory) != 0) fail_child(error_fd, GK_STAGE_CHDIR, errno);
    default_signals();
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) fail_child(error_fd, GK_STAGE_ISOLATE, errno);
    int limited = gk_descriptor_limit_restore();
    if (limited != 0) fail_child(error_fd, GK_STAGE_ISOLATE, limited);
    execve(plan->path, plan->argv, plan->envp);
    fail_child(error_fd, GK_STAGE_EXEC, errno);
}

static ssize_t read_failure(int fd, struct gk_failure *failure) {
    ssize_t count;
    do {
        count = read(fd, failure, sizeof *failure);
    } while (count < 0 && errno == EINTR);
    return count;
}

static void end_child(pid_t pid) {
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static int give_up(struct gk_failure *failure, int stage, int error, int pipes[4][2]) {
    for (int i = 0; i < 4; i++) {
        close_quietly(&pipes[i][0]);
        close_quietly(&pipes[i][1]);
    }
    failure->stage = stage;
    failure->error = error;
    return error;
}

int gk_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, int watcher,
             struct gk_child *child, struct gk_failure *failure) {
    int pipes[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    for (int i = 0; i < 4; i++) {
        int error = high_pipe(pipes[i]);
        if (error != 0) return give_up(failure, GK_STAGE_PIPES, error, pipes);
    }
    struct plan plan = {
        .path = path, .argv = argv, .envp = envp, .directory = directory, .watcher = watcher, .parent = getpid(),
        .streams = {pipes[0][0], pipes[1][1], pipes[2][1]}, .error_fd = pipes[3][1],
    };

    // No handler of ours may run in the child, which still has our memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int fork_error = errno;
    if (pid == 0) run_child(&plan);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) return give_up(failure, GK_STAGE_FORK, fork_error, pipes);

    for (int i = 0; i < 3; i++) close_quietly(&pipes[i][i == 0 ? 0 : 1]);
    close_quietly(&pipes[3][1]);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        int error = errno;
        // Forgotten while the zombie still holds the number, here as everywhere.
        kill(pid, SIGKILL);
        gk_watcher_tell(watcher, -pid);
        end_child(pid);
        return give_up(failure, GK_STAGE_FORK, error, pipes);
    }
    struct gk_failure reported = {0, 0};
    // End of file: the descriptor was closed by exec, or by a death that the pidfd will tell.
    if (read_failure(pipes[3][0], &reported) == (ssize_t)sizeof reported) {
        gk_watcher_tell(watcher, -pid);
        end_child(pid);
        close(pidfd);
        return give_up(failure, reported.stage, reported.error, pipes);
    }
    close_quietly(&pipes[3][0]);
    *child = (struct gk_child){pid, pidfd, pipes[0][1], pipes[1][0], pipes[2][0]};
    return 0;
}
