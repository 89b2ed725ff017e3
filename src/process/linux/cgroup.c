/*
 * Files of control groups. Version 2: cgroup.events and cpu.stat
 * (Documentation/admin-guide/cgroup-v2.rst); version 1: freezer.state
 * (kernel/cgroup/legacy_freezer.c) and cpu.stat (kernel/sched/core.c cpu_cfs_stat_show). A group is
 * found by proc_pid_cgroup(5) and our own proc_pid_mountinfo(5).
 */
#include "process/linux/cgroup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process/linux/procfs.h"
#include "util/memory.h"

#define MAX_TEXT (64u * 1024)
#define MAX_DIR  512

/* word is one of the comma-separated words of list, which ends at end. */
static bool has_word(const char *list, const char *end, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at < end;) {
        size_t len = strcspn(at, ",:\n ");
        if (len == n && strncmp(at, word, n) == 0)
            return true;
        at += len + 1;
    }
    return false;
}

/* proc(5) /proc/PID/cgroup: "id:controllers:path"; version 2 is "0::path". controller NULL:
 * version 2. */
static bool group_path(int proc, const char *controller, char *ret, size_t size)
{
    char text[4096];
    if (lk_procfs_read(text, sizeof(text), proc, "cgroup") <= 0)
        return false;
    for (char *line = text; *line;) {
        char *next = line + strcspn(line, "\n");
        bool last = *next == '\0';
        *next = '\0';
        char *list = strchr(line, ':');
        char *path = list ? strchr(++list, ':') : NULL;
        bool ours = path && (controller ? has_word(list, path, controller) : path == list);
        if (ours)
            return (size_t)snprintf(ret, size, "%s", path + 1) < size;
        line = last ? next : next + 1;
    }
    return false;
}

struct mount {
    char root[MAX_DIR], point[MAX_DIR];
};

/* proc(5) mountinfo: "id parent maj:min root point options [optional...] - type source
 * superoptions" */
static bool find_mount(const char *controller, struct mount *ret)
{
    size_t len;
    char *text = lk_procfs_read_all(MAX_TEXT * 16, &len, AT_FDCWD, "/proc/self/mountinfo");
    if (!text)
        return false;
    bool found = false;
    for (char *line = text, *save = NULL; !found && (line = strtok_r(line, "\n", &save));
         line = NULL) {
        char type[32], options[MAX_DIR];
        const char *dash = strstr(line, " - ");
        if (!dash || sscanf(line, "%*s %*s %*s %511s %511s", ret->root, ret->point) != 2 ||
            sscanf(dash, " - %31s %*s %511s", type, options) != 2)
            continue;
        found = controller ? strcmp(type, "cgroup") == 0 &&
                                 has_word(options, options + strlen(options), controller)
                           : strcmp(type, "cgroup2") == 0;
    }
    lk_free(text);
    return found;
}

/* The folder of the process's group; top is the length of its mount point. */
static bool group_folder(int proc, const char *controller, char *ret, size_t size, size_t *top)
{
    char path[MAX_DIR];
    struct mount m;
    if (!group_path(proc, controller, path, sizeof(path)) || !find_mount(controller, &m))
        return false;
    const char *below = path;
    size_t n = strcmp(m.root, "/") == 0 ? 0 : strlen(m.root);
    if (strncmp(path, m.root, n) != 0 || strstr(path, "/.."))
        return false; /* outside of what we have mounted */
    below += n;
    *top = strlen(m.point);
    return (size_t)snprintf(ret, size, "%s%s", m.point, strcmp(below, "/") == 0 ? "" : below) <
           size;
}

bool lk_cgroup_frozen(int proc)
{
    char dir[2 * MAX_DIR], text[256];
    size_t top;
    uint64_t frozen;
    if (group_folder(proc, NULL, dir, LK_PROCFS_PATH - 32, &top) &&
        lk_procfs_read(text, sizeof(text), AT_FDCWD, "%s/cgroup.events", dir) > 0 &&
        lk_procfs_field(text, "frozen ", 10, &frozen) && frozen)
        return true;
    /* Version 1: a group below a frozen one says FROZEN too; FREEZING is on its way there. */
    return group_folder(proc, "freezer", dir, LK_PROCFS_PATH - 32, &top) &&
           lk_procfs_read(text, sizeof(text), AT_FDCWD, "%s/freezer.state", dir) > 0 &&
           (strncmp(text, "FROZEN", 6) == 0 || strncmp(text, "FREEZING", 8) == 0);
}

bool lk_cgroup_throttle(int proc, uint64_t *periods, uint64_t *throttled, uint64_t *throttled_us)
{
    static const char *const controllers[] = { "cpu", NULL };
    for (size_t i = 0; i < LK_ARRAY_LEN(controllers); i++) {
        char dir[LK_PROCFS_PATH - 32], text[2048];
        size_t top;
        if (!group_folder(proc, controllers[i], dir, sizeof(dir), &top))
            continue;
        /* Periods are counted where a quota is set: the process's group or one above it. */
        for (size_t len = strlen(dir); len >= top && len > 0;) {
            uint64_t ns;
            dir[len] = '\0';
            if (lk_procfs_read(text, sizeof(text), AT_FDCWD, "%s/cpu.stat", dir) > 0 &&
                lk_procfs_field(text, "nr_periods ", 10, periods) && *periods > 0 &&
                lk_procfs_field(text, "nr_throttled ", 10, throttled)) {
                if (lk_procfs_field(text, "throttled_usec ", 10, throttled_us))
                    return true;
                if (lk_procfs_field(text, "throttled_time ", 10, &ns)) {
                    *throttled_us = ns / 1000;
                    return true;
                }
            }
            do
                len--;
            while (len > top && dir[len] != '/');
        }
    }
    return false;
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* A number, or "max". Version 1 says "none" by a number close to 2^63. */
static int64_t limit_in(const char *dir, const char *file)
{
    char text[64];
    unsigned long long v;
    if (lk_procfs_read(text, sizeof text, AT_FDCWD, "%s/%s", dir, file) <= 0)
        return LK_UNKNOWN;
    if (strncmp(text, "max", 3) == 0)
        return LK_FOREVER;
    if (sscanf(text, "%llu", &v) != 1)
        return LK_UNKNOWN;
    return v >= (UINT64_C(1) << 62) ? LK_FOREVER : (int64_t)v;
}

/* A folder and those above it, up to the top: the nearest that is lowest. */
typedef void (*look_fn)(const char *dir, struct lk_cgroup_limits *ret);

static void each_above(int proc, const char *controller, look_fn look, struct lk_cgroup_limits *ret)
{
    char dir[LK_PROCFS_PATH - 40];
    size_t top;
    if (!group_folder(proc, controller, dir, sizeof dir, &top))
        return;
    for (size_t len = strlen(dir); len >= top && len > 0;) {
        dir[len] = '\0';
        look(dir, ret);
        do
            len--;
        while (len > top && dir[len] != '/');
    }
}

static bool is_lower(int64_t limit, int64_t than)
{
    return limit != LK_UNKNOWN && (than == LK_UNKNOWN || limit < than);
}

static void look_at_memory(const char *dir, struct lk_cgroup_limits *ret)
{
    static const char *const files[][2] = {
        { "memory.max", "memory.current" },
        { "memory.limit_in_bytes", "memory.usage_in_bytes" },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(files); i++) {
        const int64_t limit = limit_in(dir, files[i][0]);
        if (!is_lower(limit, ret->memory_max))
            continue;
        ret->memory_max = limit;
        ret->memory_used = limit_in(dir, files[i][1]);
    }
}

/* "50000 100000", "max 100000"; version 1 has two files, and -1 for none. */
static void look_at_cpu(const char *dir, struct lk_cgroup_limits *ret)
{
    char text[64];
    long long quota, period;
    int64_t limit = LK_UNKNOWN;
    if (lk_procfs_read(text, sizeof text, AT_FDCWD, "%s/cpu.max", dir) > 0) {
        if (strncmp(text, "max", 3) == 0)
            limit = LK_FOREVER;
        else if (sscanf(text, "%lld %lld", &quota, &period) == 2 && period > 0 && quota > 0)
            limit = quota * 1000 / period;
    } else if (lk_procfs_read(text, sizeof text, AT_FDCWD, "%s/cpu.cfs_quota_us", dir) > 0 &&
               sscanf(text, "%lld", &quota) == 1) {
        period = limit_in(dir, "cpu.cfs_period_us");
        limit = quota <= 0 ? LK_FOREVER : period > 0 ? quota * 1000 / period : LK_UNKNOWN;
    }
    if (is_lower(limit, ret->cpu_thousandths))
        ret->cpu_thousandths = limit;
}

void lk_cgroup_limits(int proc, struct lk_cgroup_limits *ret)
{
    *ret = (struct lk_cgroup_limits){ LK_UNKNOWN, LK_UNKNOWN, LK_UNKNOWN };
    each_above(proc, NULL, look_at_memory, ret);
    each_above(proc, NULL, look_at_cpu, ret);
    if (ret->memory_max == LK_UNKNOWN)
        each_above(proc, "memory", look_at_memory, ret);
    if (ret->cpu_thousandths == LK_UNKNOWN)
        each_above(proc, "cpu", look_at_cpu, ret);
}

/* ---- containers ------------------------------------------------------------------------------ */

/* Words in a group's path, by who writes them; the first match counts. */
static const struct {
    const char *word, *name;
} engines[] = {
    { "docker", "docker" }, { "libpod", "podman" },       { "containerd", "containerd" },
    { "crio", "cri-o" },    { "kubepods", "kubernetes" }, { "buildkit", "buildkit" },
};

/* A container's id: exactly 64 hexadecimal digits. */
static const char *find_id(const char *path, size_t n)
{
    size_t run = 0;
    for (size_t i = 0; i <= n; i++) {
        bool hex = i < n && isxdigit((unsigned char)path[i]) && !isupper((unsigned char)path[i]);
        if (!hex && run == 64)
            return path + i - 64;
        run = hex ? run + 1 : 0;
    }
    return NULL;
}

static bool find_lxc(const char *path, size_t n, char *ret, size_t size)
{
    static const char *const heads[] = { "/lxc/", "/lxc.payload.", "/lxc.payload/" };
    for (size_t i = 0; i < LK_ARRAY_LEN(heads); i++) {
        const char *at = memmem(path, n, heads[i], strlen(heads[i]));
        if (!at)
            continue;
        at += strlen(heads[i]);
        int len = (int)LK_MIN(strcspn(at, "/\n"), 64u);
        snprintf(ret, size, "lxc %.*s", len, at);
        return len > 0;
    }
    return false;
}

bool lk_cgroup_container(const char *text, char *ret, size_t size)
{
    for (const char *line = text; *line; line += line[0] == '\n') {
        size_t n = strcspn(line, "\n");
        const char *id = find_id(line, n), *engine = "container";
        for (size_t i = LK_ARRAY_LEN(engines); i-- > 0;)
            if (memmem(line, n, engines[i].word, strlen(engines[i].word)))
                engine = engines[i].name;
        if (id) {
            snprintf(ret, size, "%s %.12s", engine, id);
            return true;
        }
        if (find_lxc(line, n, ret, size))
            return true;
        line += n;
    }
    return false;
}
