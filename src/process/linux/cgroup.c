/*
 * Files of control groups. Version 2: cgroup.events, cpu.stat, cpu.max, memory.max
 * (Documentation/admin-guide/cgroup-v2.rst); version 1: freezer.state
 * (kernel/cgroup/legacy_freezer.c), cpu.stat and cpu.cfs_quota_us (kernel/sched/core.c),
 * memory.limit_in_bytes (mm/memcontrol.c). A group is found by proc_pid_cgroup(5) and our own
 * proc_pid_mountinfo(5).
 */
#include "process/linux/cgroup.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process/linux/procfs.h"
#include "util/memory.h"

#define MAX_TEXT (64u * 1024)
#define MAX_DIR  512
#define FOLDER   (LK_PROCFS_PATH - 32) /* of a group: the name of a file follows */

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

/* ---- where a group is ------------------------------------------------------------------------ */

/* Lines of a file, each ended by a NUL. */
struct lines {
    char *text;
    size_t n;
};

static struct lines split(char *text)
{
    const struct lines ret = { text, text ? strlen(text) : 0 };
    for (char *at = text; at && (at = strchr(at, '\n'));)
        *at++ = '\0';
    return ret;
}

/* The line after this one, or the first; NULL at the end. */
static const char *next_line(const struct lines *l, const char *line)
{
    line = line ? line + strlen(line) + 1 : l->text;
    return line && line < l->text + l->n ? line : NULL;
}

struct places {
    struct lines groups, mounts;
};

static struct places places_read(int proc)
{
    size_t n;
    return (struct places){
        split(lk_procfs_read_all(MAX_TEXT, &n, proc, "cgroup")),
        split(lk_procfs_read_all(MAX_TEXT * 16, &n, AT_FDCWD, "/proc/self/mountinfo")),
    };
}

static void places_deinit(struct places *p)
{
    lk_free(p->groups.text);
    lk_free(p->mounts.text);
}

/* proc(5) /proc/PID/cgroup: "id:controllers:path"; version 2 is "0::path". controller NULL:
 * version 2. */
static const char *group_path(const struct lines *groups, const char *controller)
{
    for (const char *line = NULL; (line = next_line(groups, line));) {
        const char *list = strchr(line, ':'), *path = list ? strchr(++list, ':') : NULL;
        if (path && path[1] == '/' &&
            (controller ? has_word(list, path, controller) : path == list))
            return path + 1;
    }
    return NULL;
}

struct mount {
    char root[MAX_DIR], point[MAX_DIR];
};

/* proc(5) mountinfo: "id parent maj:min root point options [optional...] - type source
 * superoptions" */
static bool find_mount(const struct lines *mounts, const char *controller, struct mount *ret)
{
    for (const char *line = NULL; (line = next_line(mounts, line));) {
        char type[32], options[MAX_DIR];
        const char *dash = strstr(line, " - ");
        if (!dash || sscanf(line, "%*s %*s %*s %511s %511s", ret->root, ret->point) != 2 ||
            sscanf(dash, " - %31s %*s %511s", type, options) != 2)
            continue;
        if (controller ? strcmp(type, "cgroup") == 0 &&
                             has_word(options, options + strlen(options), controller)
                       : strcmp(type, "cgroup2") == 0)
            return true;
    }
    return false;
}

/* The folder of the process's group; top is the length of its mount point. */
static bool group_folder(const struct places *p, const char *controller, char *ret, size_t size,
                         size_t *top)
{
    struct mount m;
    const char *path = group_path(&p->groups, controller);
    if (!path || !find_mount(&p->mounts, controller, &m))
        return false;
    const size_t n = strcmp(m.root, "/") == 0 ? 0 : strlen(m.root);
    if (strncmp(path, m.root, n) != 0 || (path[n] && path[n] != '/') || strstr(path, "/.."))
        return false; /* outside of what we have mounted */
    const char *below = path + n;
    *top = strlen(m.point);
    return (size_t)snprintf(ret, size, "%s%s", m.point, strcmp(below, "/") == 0 ? "" : below) <
           size;
}

/* The folder above; false at the top. */
static bool go_up(char *dir, size_t top)
{
    size_t n = strlen(dir);
    if (n <= top)
        return false;
    while (n > top && dir[--n] != '/')
        ;
    dir[n] = '\0';
    return true;
}

/* ---- what keeps a process from running ------------------------------------------------------- */

static bool is_frozen(const struct places *p)
{
    char dir[FOLDER], text[256];
    size_t top;
    uint64_t frozen;
    if (group_folder(p, NULL, dir, sizeof dir, &top) &&
        lk_procfs_read(text, sizeof(text), AT_FDCWD, "%s/cgroup.events", dir) > 0 &&
        lk_procfs_field(text, "frozen ", 10, &frozen) && frozen)
        return true;
    /* Version 1: a group below a frozen one says FROZEN too; FREEZING is on its way there. */
    return group_folder(p, "freezer", dir, sizeof dir, &top) &&
           lk_procfs_read(text, sizeof(text), AT_FDCWD, "%s/freezer.state", dir) > 0 &&
           (strncmp(text, "FROZEN", 6) == 0 || strncmp(text, "FREEZING", 8) == 0);
}

bool lk_cgroup_frozen(int proc)
{
    struct places p = places_read(proc);
    const bool frozen = is_frozen(&p);
    places_deinit(&p);
    return frozen;
}

static bool throttle_of(const char *dir, struct lk_throttle *ret)
{
    char text[2048];
    uint64_t ns;
    if (lk_procfs_read(text, sizeof(text), AT_FDCWD, "%s/cpu.stat", dir) <= 0 ||
        !lk_procfs_field(text, "nr_periods ", 10, &ret->periods) || !ret->periods ||
        !lk_procfs_field(text, "nr_throttled ", 10, &ret->throttled))
        return false;
    if (lk_procfs_field(text, "throttled_usec ", 10, &ret->usec))
        return true;
    if (!lk_procfs_field(text, "throttled_time ", 10, &ns))
        return false;
    ret->usec = ns / 1000;
    return true;
}

bool lk_cgroup_throttle(int proc, struct lk_throttle *ret)
{
    static const char *const controllers[] = { "cpu", NULL };
    struct places p = places_read(proc);
    bool found = false;
    for (size_t i = 0; !found && i < LK_ARRAY_LEN(controllers); i++) {
        char dir[FOLDER];
        size_t top;
        bool more = group_folder(&p, controllers[i], dir, sizeof dir, &top);
        /* Periods are counted where a quota is set: the process's group or one above it. */
        for (; more && !found; more = go_up(dir, top))
            found = throttle_of(dir, ret);
    }
    places_deinit(&p);
    return found;
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

static bool is_lower(int64_t limit, int64_t than)
{
    return limit != LK_UNKNOWN && (than == LK_UNKNOWN || limit < than);
}

static void look_at_memory(const char *dir, struct lk_surroundings *ret)
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

static int64_t thousandths(int64_t quota, int64_t period)
{
    return quota > 0 && quota < INT64_MAX / 1000 && period > 0 ? quota * 1000 / period : LK_UNKNOWN;
}

/* "50000 100000", "max 100000"; version 1 has two files, and -1 for none. */
static void look_at_cpu(const char *dir, struct lk_surroundings *ret)
{
    char text[64];
    int64_t quota, period, limit = LK_UNKNOWN;
    if (lk_procfs_read(text, sizeof text, AT_FDCWD, "%s/cpu.max", dir) > 0) {
        if (strncmp(text, "max", 3) == 0)
            limit = LK_FOREVER;
        else if (sscanf(text, "%" SCNd64 " %" SCNd64, &quota, &period) == 2)
            limit = thousandths(quota, period);
    } else if (lk_procfs_read(text, sizeof text, AT_FDCWD, "%s/cpu.cfs_quota_us", dir) > 0 &&
               sscanf(text, "%" SCNd64, &quota) == 1) {
        limit = quota <= 0 ? LK_FOREVER : thousandths(quota, limit_in(dir, "cpu.cfs_period_us"));
    }
    if (is_lower(limit, ret->cpu_thousandths))
        ret->cpu_thousandths = limit;
}

static void limits_in(const struct places *p, struct lk_surroundings *ret)
{
    static const char *const controllers[] = { NULL, "memory", "cpu" };
    ret->memory_max = ret->memory_used = ret->cpu_thousandths = LK_UNKNOWN;
    for (size_t i = 0; i < LK_ARRAY_LEN(controllers); i++) {
        char dir[FOLDER];
        size_t top;
        bool more = group_folder(p, controllers[i], dir, sizeof dir, &top);
        for (; more; more = go_up(dir, top)) {
            look_at_memory(dir, ret);
            look_at_cpu(dir, ret);
        }
    }
}

void lk_cgroup_limits(int proc, struct lk_surroundings *ret)
{
    struct places p = places_read(proc);
    limits_in(&p, ret);
    places_deinit(&p);
}

void lk_cgroup_limits_told(const char *groups, const char *mounts, struct lk_surroundings *ret)
{
    struct places p = { split(lk_xstrdup(groups)), split(lk_xstrdup(mounts)) };
    limits_in(&p, ret);
    places_deinit(&p);
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

/* systemd escapes what is no letter of a name as \xNN (systemd.unit(5)). */
bool lk_cgroup_unit(const char *text, char *ret, size_t size)
{
    static const char suffix[] = ".service";
    const size_t n_suffix = sizeof suffix - 1;
    bool found = false;
    for (const char *at = text; (at = strstr(at, suffix)); at += n_suffix) {
        const char *begin = at;
        while (begin > text && !strchr("/\n", begin[-1]))
            begin--;
        const int n = (int)(at + n_suffix - begin);
        if (!strchr("/\n", at[n_suffix]) || strncmp(begin, "user@", 5) == 0 || (size_t)n >= size)
            continue;
        snprintf(ret, size, "%.*s", n, begin);
        found = true;
    }
    return found;
}
