/// What a process supervisor needs from Linux and Swift cannot reach: fork with a clean child, pidfds, the group
/// watcher, peer credentials. Every function returns 0 or a positive errno unless it says otherwise; none keeps a
/// pointer that it was given, none sets `errno` for the caller.
///
/// Needs Linux 5.9 (close_range; pidfd_open and waitid(P_PIDFD) are older) and glibc 2.34.
#ifndef CSPAWN_H
#define CSPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// Which step of a start failed.
enum gk_stage {
    GK_STAGE_PIPES = 1,    ///< making the pipes, in the parent
    GK_STAGE_FORK,         ///< fork or pidfd_open, in the parent
    GK_STAGE_ISOLATE,      ///< process group, parent-death signal, descriptors or signals, in the child
    GK_STAGE_WATCHER,      ///< telling the group watcher, in the child
    GK_STAGE_CHDIR,        ///< entering the working directory
    GK_STAGE_EXEC,         ///< execve
};

/// A started process. Every descriptor is close-on-exec, at least 4, and the caller's to close.
struct gk_child {
    pid_t pid;      ///< also its process group
    int pidfd;      ///< readable once the process has ended
    int stdin_fd;   ///< written by us
    int stdout_fd;  ///< read by us
    int stderr_fd;  ///< read by us
};

/// Why nothing was started.
struct gk_failure {
    int stage;  ///< enum gk_stage
    int error;  ///< errno
};

/// How a process ended.
struct gk_end {
    bool signalled;  ///< whether `value` is a signal number, else an exit code
    int value;
};

/// Who is at the other end of a Unix socket, as the kernel noted it at connect time.
struct gk_peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/// Starts `path` as the leader of its own process group, with three pipes as its standard streams, no other
/// descriptor, no blocked or ignored signal, and SIGKILL when the *calling thread* ends: call it only from a thread
/// that lives as long as the child may.
///
/// `path` is used as it is (no search); a relative one is taken from `directory`. `watcher` is told of the group
/// before the program runs. Returns 0 once execve has succeeded; else fills `failure`, with nothing left behind.
int gk_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, int watcher,
             struct gk_child *child, struct gk_failure *failure);

/// Whether the process has ended: 0 and `end` filled, EAGAIN while it runs, else an errno. Does not reap: the zombie
/// keeps its process id, and so its group's, from being given to somebody else.
int gk_peek(int pidfd, struct gk_end *end);

/// Reaps a process that `gk_peek` has seen ended.
int gk_reap(int pidfd);

/// Some child of this process that has ended and is not reaped yet, or 0. Does not reap.
pid_t gk_any_zombie(void);

/// Reaps the child `pid` if it has ended.
int gk_reap_pid(pid_t pid);

/// Makes orphaned descendants children of this process, as they are for PID 1.
int gk_become_subreaper(void);

/// How many groups a watcher can remember.
#define GK_WATCHED_GROUPS_MAX 4096

/// Forks the group watcher: a process in a session of its own that holds nothing but a socket to us, remembers the
/// groups that it is told, and when the socket closes, however we died, sends them SIGTERM, waits up to a second, and
/// sends SIGKILL to those left. `socket_fd` is the only copy of our end, close-on-exec, the caller's to close.
///
/// Call it early: the watcher is a copy of the process as it is then.
int gk_watcher_start(int *socket_fd, pid_t *pid);

/// Tells the watcher about a group: `group` > 0 to remember it, < 0 to forget it. Async-signal-safe. EPIPE when the
/// watcher is gone.
int gk_watcher_tell(int socket_fd, pid_t group);

/// An eventfd with which one thread wakes another out of poll: non-blocking, close-on-exec, the caller's to close.
int gk_waker_open(int *fd);

/// Makes the waker readable. Async-signal-safe.
int gk_waker_wake(int fd);

/// Makes the waker unreadable again.
int gk_waker_rest(int fd);

/// Raises the soft limit of open descriptors to the hard one, for this process alone: what it starts gets the former
/// limit back, since programs that use select(2) must not see descriptors above 1023. Returns the limit in force, or -1.
/// Call once, before the first program is started.
long gk_descriptor_limit_raise(void);

/// In a child, before execve: undoes the raise. Async-signal-safe. An errno, or 0.
int gk_descriptor_limit_restore(void);

/// Names the calling thread for ps and top; at most 15 bytes count.
void gk_name_thread(const char *name);

/// Fills in who connected to the Unix socket `fd`. Uid 65534 stands for one that this user namespace cannot name.
int gk_peer_credentials(int fd, struct gk_peer *peer);

#endif
