/// Process descriptors: the two system calls that Swift cannot make, since syscall(2) is variadic. Both return 0 or a
/// positive errno.
///
/// Needs Linux 5.3 (pidfd_open; pidfd_send_signal is older).
#ifndef CPIDFD_H
#define CPIDFD_H

#include <sys/types.h>

/// Opens a descriptor of the process `pid`: close-on-exec, readable once the process has ended, the caller's to close.
int gk_pidfd_open(pid_t pid, int *fd);

/// Sends a signal to the process that `fd` describes, never to one that was given its number later.
int gk_pidfd_signal(int fd, int signal);

#endif
