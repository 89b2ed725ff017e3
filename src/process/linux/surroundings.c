/*
 * proc(5): /proc/sys/kernel/osrelease, uptime, loadavg; proc_pid_stat(5): starttime, in clock ticks
 * after boot; proc_pid_status(5): Cpus_allowed.
 */
#include "process/linux/surroundings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process/linux/cgroup.h"
#include "process/linux/procfs.h"
#include "util/text.h"

static const char *kernel(struct lk_arena *a)
{
    char text[128];
    const ssize_t n = lk_procfs_read(text, sizeof text, AT_FDCWD, "/proc/sys/kernel/osrelease");
    return n > 0 ? lk_arena_printf(a, "Linux %s",
                                   lk_text_clean(a, text, strcspn(text, "\n"), sizeof text))
                 : NULL;
}

/* "0.37 0.87 1.95 1/234 5678" */
static const char *load(struct lk_arena *a)
{
    char text[128], v[3][16];
    if (lk_procfs_read(text, sizeof text, AT_FDCWD, "/proc/loadavg") <= 0 ||
        sscanf(text, "%15[0-9.] %15[0-9.] %15[0-9.]", v[0], v[1], v[2]) != 3)
        return NULL;
    return lk_arena_printf(a, "%s %s %s", v[0], v[1], v[2]);
}

static void read_times(int proc, struct lk_surroundings *ret)
{
    char text[128];
    double up;
    struct lk_procfs_stat stat;
    const long hz = sysconf(_SC_CLK_TCK);
    if (lk_procfs_read(text, sizeof text, AT_FDCWD, "/proc/uptime") <= 0 ||
        sscanf(text, "%lf", &up) != 1 || up < 0 || up > 1e10)
        return;
    ret->machine_up_ms = (int64_t)(up * 1000);
    if (hz <= 0 || !lk_procfs_stat_read(&stat, proc, "stat") ||
        stat.start_ticks > UINT64_MAX / 1000)
        return;
    const int64_t began = (int64_t)(stat.start_ticks * 1000 / (uint64_t)hz);
    ret->process_up_ms = LK_MAX(ret->machine_up_ms - began, 0);
}

/* "Cpus_allowed:\tff,ffffffff": a mask in hexadecimal digits. */
static int64_t processors(int proc)
{
    static const char name[] = "\nCpus_allowed:";
    char text[8192];
    if (lk_procfs_read(text, sizeof text, proc, "status") <= 0)
        return LK_UNKNOWN;
    const char *at = strstr(text, name);
    int64_t n = 0;
    for (at = at ? at + sizeof name - 1 : ""; *at && *at != '\n'; at++)
        if (isxdigit((unsigned char)*at))
            n += __builtin_popcount(
                (unsigned)(isdigit((unsigned char)*at) ? *at - '0' : (*at | 0x20) - 'a' + 10));
    return n ? n : LK_UNKNOWN;
}

void lk_surroundings_read(int proc, struct lk_arena *a, struct lk_surroundings *ret)
{
    *ret = lk_surroundings_none;
    ret->kernel = kernel(a);
    ret->load = load(a);
    ret->processors = processors(proc);
    read_times(proc, ret);
    lk_cgroup_limits(proc, ret);
}
