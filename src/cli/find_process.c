/*
 * A process is called by the first of these that a user would type: its comm (proc_pid_comm(5)),
 * the program of its command line without folders, what stands there before a colon (servers that
 * write a title, "gunicorn: master [shop]"), and, where the program is an interpreter, its script
 * or module. A systemd unit is a control group of that name (systemd.unit(5), cgroups(7)). Neither
 * loopknot itself is meant nor what it was started from: shells, sudo.
 */
#include "cli/find_process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "process/linux/procfs.h"
#include "util/redact.h"
#include "util/text.h"
#include "util/vec.h"

enum {
    KERNEL_THREAD = 0x00200000, /* include/linux/sched.h: PF_KTHREAD */
    GENERATIONS = 64,
    LISTED = 16,
    COLUMNS = 60, /* of a command that is listed */
};

struct found {
    LK_VEC(pid_t) list;
    const char *name;
    bool unit; /* it is one's name */
};

/* ---- names ----------------------------------------------------------------------------- */

/* "server" is the server.py that an interpreter runs, too. */
static bool is_script(const char *arg, const char *name)
{
    const char *base = lk_base_name(arg);
    const size_t n = strlen(name);
    return strncmp(base, name, n) == 0 && (!base[n] || strcmp(base + n, ".py") == 0);
}

/* The first argument that is no option; "-m" is followed by a module, "-c" by no name at all. */
static bool runs_script(char **argv, const char *name)
{
    for (size_t i = 1; argv[0] && argv[i]; i++) {
        if (strcmp(argv[i], "-c") == 0)
            return false;
        if (strcmp(argv[i], "-m") == 0)
            return argv[i + 1] && strcmp(argv[i + 1], name) == 0;
        if (argv[i][0] != '-')
            return is_script(argv[i], name);
    }
    return false;
}

static bool is_interpreter(const char *program)
{
    static const char *const names[] = { "python", "pypy", "node", "ruby", "perl", "bash", "sh" };
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++)
        if (lk_starts_with(program, names[i]))
            return true;
    return false;
}

static bool has_name(pid_t pid, const char *name)
{
    struct lk_procfs_stat st;
    struct lk_procfs_folder at;
    struct lk_procfs_args args = { 0 };
    if (!lk_procfs_stat_of(pid, &st) || st.flags & KERNEL_THREAD || !lk_procfs_enter(pid, &at))
        return false;
    bool same = strcmp(st.comm, name) == 0;
    if (!same && lk_procfs_args_read(at.dir, &args)) {
        const char *program = args.argc ? lk_base_name(args.argv[0]) : "";
        const size_t title = args.argc ? strcspn(args.argv[0], ":") : 0;
        same = strcmp(program, name) == 0 ||
               (title == strlen(name) && strncmp(args.argv[0], name, title) == 0) ||
               (is_interpreter(program) && runs_script(args.argv, name));
        lk_procfs_args_deinit(&args);
    }
    lk_procfs_leave(&at);
    return same;
}

/* ---- units ----------------------------------------------------------------------------- */

/* A path of proc_pid_cgroup(5) has the unit as one of its folders. */
static bool in_unit(pid_t pid, const char *name)
{
    char text[4096], unit[256];
    const bool full = strchr(name, '.');
    const int n = snprintf(unit, sizeof unit, "/%s%s", name, full ? "" : ".service");
    if (n >= (int)sizeof unit || lk_procfs_read_of(pid, "cgroup", text, sizeof text) <= 0)
        return false;
    for (const char *at = text; (at = strstr(at, unit)); at += n)
        if (strchr("/\n", at[n])) /* the NUL too */
            return true;
    return false;
}

/* ---- the search ------------------------------------------------------------------------ */

static bool descends(pid_t pid, pid_t from)
{
    struct lk_procfs_stat st;
    for (int i = 0; i < GENERATIONS && pid > 1; i++, pid = st.ppid)
        if (pid == from)
            return true;
        else if (!lk_procfs_stat_of(pid, &st))
            return false;
    return pid == from;
}

static bool look_at(int64_t id, void *arg)
{
    struct found *f = arg;
    const pid_t pid = (pid_t)id;
    if (f->unit ? in_unit(pid, f->name) : has_name(pid, f->name))
        if (!descends(getpid(), pid))
            lk_vec_add(&f->list, pid);
    return true;
}

/* By name, or else by unit. */
static struct found find_all(const char *name)
{
    struct found f = { .name = name };
    for (int unit = 0; unit < 2 && !f.list.n && *name; unit++) {
        f.unit = unit;
        lk_procfs_each_id(look_at, &f, AT_FDCWD, "/proc");
    }
    return f;
}

bool find_process_any(const char *name)
{
    struct found f = find_all(name);
    const bool any = f.list.n;
    lk_free(f.list.v);
    return any;
}

/* Those that descend from no other one of them come first; how many. */
static size_t roots_first(struct found *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->list.n; i++) {
        bool below = false;
        for (size_t k = 0; k < f->list.n && !below; k++)
            below = k != i && descends(f->list.v[i], f->list.v[k]);
        if (below)
            continue;
        const pid_t root = f->list.v[i];
        f->list.v[i] = f->list.v[n];
        f->list.v[n++] = root;
    }
    return n;
}

static const char *command_of(struct lk_arena *a, pid_t pid)
{
    struct lk_procfs_folder at;
    struct lk_procfs_args args = { 0 };
    struct lk_strbuf b = { 0 };
    if (lk_procfs_enter(pid, &at)) {
        if (lk_procfs_args_read(at.dir, &args)) {
            for (size_t i = 0; i < args.argc && b.n < COLUMNS; i++)
                lk_strbuf_printf(&b, "%s%s", i ? " " : "",
                                 lk_redact(a, args.argv[i], i ? args.argv[i - 1] : NULL));
            lk_procfs_args_deinit(&args);
        }
        lk_procfs_leave(&at);
    }
    const char *ret = lk_text_clean(a, b.s ? b.s : "", b.n, COLUMNS);
    lk_strbuf_deinit(&b);
    return ret;
}

static int list(const struct found *f, size_t n)
{
    struct lk_arena *a = lk_arena_create();
    complain(0, "%zu %s '%s': which one?", n,
             f->unit ? "processes are in the unit" : "processes are called", f->name);
    for (size_t i = 0; i < n && i < LISTED; i++)
        complain(0, "  %-8d %s", (int)f->list.v[i], command_of(a, f->list.v[i]));
    if (n > LISTED)
        complain(0, "  and %zu more", n - LISTED);
    lk_arena_destroy(a);
    return EXIT_USAGE;
}

int find_process(const char *name, pid_t *ret, bool *several)
{
    struct found f = find_all(name);
    const size_t n = roots_first(&f);
    int status = 0;
    if (n == 1) {
        struct lk_arena *a = lk_arena_create();
        *ret = f.list.v[0];
        *several = f.list.n > 1;
        complain(0, "%s is process %d: %s", f.name, (int)*ret, command_of(a, *ret));
        lk_arena_destroy(a);
    } else {
        status = n ? list(&f, n)
                   : complain(EXIT_NO_REPORT, "there is no process and no systemd unit '%s'", name);
    }
    lk_free(f.list.v);
    return status;
}
