#ifndef COPENAT2_H
#define COPENAT2_H

#include <stdbool.h>
#include <stdint.h>

/// The system calls that keep paths inside a directory; the C library wraps them late or not at all, and Swift's
/// Glibc module does not show them. Each returns a negative errno on failure and repeats interrupted calls.

/// O_PATH, which Swift's Glibc module does not show either.
extern const int copenat2_path;

/// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, and O_CLOEXEC | O_NOCTTY added to `flags`: opens `path`
/// relative to `directory` and never leaves it, neither by `..` nor by a symbolic link at any place; with
/// `follows_links` false no link is followed at all. -EXDEV means that the path leads out, -ENOSYS that the kernel
/// is older than 5.6. Returns a descriptor that the caller owns.
int copenat2_open_beneath(int directory, const char *path, int flags, uint32_t mode, bool follows_links);

/// renameat2(2) with RENAME_NOREPLACE: -EEXIST when the new name is taken. Returns 0.
int copenat2_rename_noreplace(int old_directory, const char *old_name, int new_directory, const char *new_name);

/// What statx(2) tells of a file. Times are seconds since 1970 in UTC; `created` is valid with `has_created` only.
struct copenat2_information {
    uint64_t size;
    uint32_t mode;
    uint32_t owner;
    uint32_t group;
    bool has_created;
    int64_t created;
    int64_t modified;
    int64_t accessed;
};

/// Reads the information of an open file, O_PATH descriptors included. Returns 0.
int copenat2_information(int descriptor, struct copenat2_information *information);

/// The same for `name` in `directory`, without following a symbolic link. Returns 0.
int copenat2_information_at(int directory, const char *name, struct copenat2_information *information);

#endif
