#ifndef CFILESPACE_H
#define CFILESPACE_H

#include <stdint.h>

/// Allocates the blocks of `length` bytes from `offset` without changing the file's size (fallocate(2) with
/// FALLOC_FL_KEEP_SIZE, which Swift's Glibc module does not show). Returns 0 or an errno; interrupted calls are
/// repeated.
int cfilespace_reserve(int descriptor, int64_t offset, int64_t length);

#endif
