// The limit of open descriptors: high for us, untouched for what we start.
#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>

static struct rlimit former;
static bool is_raised;

long gk_descriptor_limit_raise(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    if (limit.rlim_cur < limit.rlim_max) {
        former = limit;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
            is_raised = true;
        } else {
            limit.rlim_cur = former.rlim_cur;
        }
    }
    return limit.rlim_cur == RLIM_INFINITY ? 0x7fffffff : (long)limit.rlim_cur;
}

int gk_descriptor_limit_restore(void) {
    if (!is_raised) return 0;
    return setrlimit(RLIMIT_NOFILE, &former) == 0 ? 0 : errno;
}
