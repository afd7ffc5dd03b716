#ifndef CJOURNAL_JOURNAL_FILE_H
#define CJOURNAL_JOURNAL_FILE_H

#include <stddef.h>

/// Sends `length` bytes as one entry over a datagram socket that is connected to the journal, in a sealed memory file
/// whose descriptor travels by SCM_RIGHTS: the native protocol's way for entries that no datagram holds.
///
/// Never waits for the receiver. Returns 0 or an errno; EAGAIN when the receiver's queue is full.
int cjournal_send_file(int socket, const void *bytes, size_t length);

/// A counter for poll(2), which Swift's Glibc module does not show: eventfd(2), non-blocking, closed on exec; -1 and
/// errno where there is none. Write 8 bytes to wake, read 8 to clear.
int cjournal_waker(void);

#endif
