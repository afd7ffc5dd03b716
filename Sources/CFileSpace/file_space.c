#define _GNU_SOURCE
#include "CFileSpace.h"

#include <errno.h>
#include <fcntl.h>

int cfilespace_reserve(int descriptor, int64_t offset, int64_t length) {
    while (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}
