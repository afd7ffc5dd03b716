#define _GNU_SOURCE
#include "COpenAt2.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

const int copenat2_path = O_PATH;

/// RESOLVE_BENEATH answers EAGAIN when a rename anywhere on the system made its check of `..` uncertain. Bounded, so
/// that whoever renames without pause cannot hold us for ever.
static const int max_attempts = 128;

int copenat2_open_beneath(int directory, const char *path, int flags, uint32_t mode, bool follows_links) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    // O_PATH takes no other flag than these, and the kernel refuses what it does not know.
    how.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | ((flags & O_PATH) ? 0 : O_NOCTTY));
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (follows_links ? 0 : RESOLVE_NO_SYMLINKS);
    for (int attempt = 0;;) {
        long result = syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (result >= 0) {
            return (int)result;
        }
        if (errno == EINTR || (errno == EAGAIN && ++attempt < max_attempts)) {
            continue;
        }
        return -errno;
    }
}

int copenat2_rename_noreplace(int old_directory, const char *old_name, int new_directory, const char *new_name) {
    while (syscall(SYS_renameat2, old_directory, old_name, new_directory, new_name, RENAME_NOREPLACE) != 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static int information(int directory, const char *name, int flags, struct copenat2_information *information) {
    struct statx found;
    while (statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    *information = (struct copenat2_information){
        .size = found.stx_size,
        .mode = found.stx_mode,
        .owner = found.stx_uid,
        .group = found.stx_gid,
        .has_created = (found.stx_mask & STATX_BTIME) != 0,
        .created = found.stx_btime.tv_sec,
        .modified = found.stx_mtime.tv_sec,
        .accessed = found.stx_atime.tv_sec,
    };
    return 0;
}

int copenat2_information(int descriptor, struct copenat2_information *found) {
    return information(descriptor, "", AT_EMPTY_PATH, found);
}

int copenat2_information_at(int directory, const char *name, struct copenat2_information *found) {
    return information(directory, name, AT_SYMLINK_NOFOLLOW, found);
}
