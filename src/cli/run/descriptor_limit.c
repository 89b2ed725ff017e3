/*
 * RLIMIT_NOFILE, getrlimit(2): the soft limit is a habit of programs that use select(2), the hard
 * one is what was decided. A tree of many processes needs some descriptors for each; a child keeps
 * what its parent had.
 */
#include "cli/run/descriptor_limit.h"

#include <stdbool.h>
#include <sys/resource.h>

static struct rlimit given;
static bool raised;

void descriptor_limit_raise(void)
{
    if (getrlimit(RLIMIT_NOFILE, &given) != 0 || given.rlim_cur == given.rlim_max)
        return;
    const struct rlimit most = { given.rlim_max, given.rlim_max };
    raised = setrlimit(RLIMIT_NOFILE, &most) == 0;
}

void descriptor_limit_restore(void)
{
    if (raised)
        (void)setrlimit(RLIMIT_NOFILE, &given);
}
