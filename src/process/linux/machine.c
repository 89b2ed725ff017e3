/*
 * What is known of the machine that this program runs on: its processes by number, from
 * proc_pid_stat(5) and the files beside it, who holds the ends of a pipe (links in fd, flags in
 * fdinfo: fs/proc/fd.c seq_show) or a file lock.
 */
#include "process/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "process/linux/file_locks.h"
#include "process/linux/process_facts.h"
#include "process/linux/procfs.h"
#include "util/redact.h"
#include "util/vec.h"

enum {
    MAX_CHILDREN = 4096,
    MAX_ENVIRON = 512 * 1024,
    MAX_ENDS = 1 << 20, /* of pipes */
};

/* One question. */
struct question {
    const struct lk_key *key;
    struct lk_arena *arena;
    void *ret;
};

static int why_not(bool known)
{
    return known ? 0 : errno ? errno : ENODATA;
}

/* ---- one process --------------------------------------------------------------------- */

static int stat_of(const struct question *q)
{
    struct lk_procfs_stat st;
    const long long pid = q->key->pid, tid = q->key->n;
    const bool known =
        tid ? lk_procfs_stat_read(&st, AT_FDCWD, "/proc/%lld/task/%lld/stat", pid, tid)
            : lk_procfs_stat_of((pid_t)pid, &st);
    if (known)
        *(struct lk_stat_facts *)q->ret = (struct lk_stat_facts){
            .ppid = st.ppid, .threads = st.threads, .state = st.state, .start_ticks = st.start_ticks
        };
    return why_not(known);
}

static int started(const struct question *q)
{
    const uint64_t ticks = lk_process_start_ticks((pid_t)q->key->pid);
    *(uint64_t *)q->ret = ticks;
    return why_not(ticks != 0);
}

static int times_run(const struct question *q)
{
    char text[128];
    unsigned long long run, wait, times;
    const bool known = lk_procfs_read(text, sizeof text, AT_FDCWD, "/proc/%lld/task/%lld/schedstat",
                                      (long long)q->key->pid, (long long)q->key->n) > 0 &&
                       sscanf(text, "%llu %llu %llu", &run, &wait, &times) == 3;
    if (known)
        *(uint64_t *)q->ret = times;
    return why_not(known);
}

/* What looks like a secret is hidden here already. */
static void copy_args(struct lk_arena *a, const struct lk_procfs_args *args,
                      struct lk_program_facts *ret)
{
    ret->argc = args->argc;
    ret->argv = lk_arena_array(a, args->argc + 1, sizeof *ret->argv);
    for (size_t i = 0; i < args->argc; i++)
        ret->argv[i] =
            lk_arena_strdup(a, lk_redact(a, args->argv[i], i ? args->argv[i - 1] : NULL));
}

static int program(const struct question *q)
{
    struct lk_program_facts *ret = q->ret;
    char text[PATH_MAX];
    struct lk_procfs_folder f;
    struct lk_procfs_args args;
    *ret = (struct lk_program_facts){ 0 };
    if (!lk_procfs_enter((pid_t)q->key->pid, &f))
        return why_not(false);
    if (lk_procfs_link(text, sizeof text, f.dir, "exe") > 0)
        ret->exe = lk_arena_strdup(q->arena, text);
    if (lk_procfs_read(text, sizeof text, f.dir, "comm") > 0) {
        text[strcspn(text, "\n")] = '\0';
        ret->comm = lk_arena_strdup(q->arena, text);
    }
    if (lk_procfs_args_read(f.dir, &args)) {
        copy_args(q->arena, &args, ret);
        lk_procfs_args_deinit(&args);
    }
    lk_procfs_leave(&f);
    return 0;
}

/* The environment may hold secrets: all but the answer is dropped at once. */
static int has_variable(const struct question *q)
{
    const char *variable = q->key->text;
    const size_t n = strlen(variable);
    struct lk_procfs_folder f;
    size_t len = 0;
    bool found = false;
    if (!lk_procfs_enter((pid_t)q->key->pid, &f))
        return why_not(false);
    char *text = lk_procfs_read_all(MAX_ENVIRON, &len, f.dir, "environ");
    const int why = why_not(text != NULL);
    lk_procfs_leave(&f);
    if (!text)
        return why;
    for (size_t i = 0; i < len && !found; i += strlen(text + i) + 1)
        found =
            strncmp(text + i, variable, n) == 0 && (variable[n - 1] == '=' || text[i + n] == '\0');
    explicit_bzero(text, len);
    lk_free(text);
    *(bool *)q->ret = found;
    return 0;
}

static bool add_child(int64_t pid, void *arg)
{
    struct lk_pids *c = arg;
    lk_vec_add(c, pid);
    return c->n < MAX_CHILDREN;
}

/* What was gathered, in the arena. */
static void *kept(struct lk_arena *a, void *v, size_t n, size_t size)
{
    void *ret = lk_arena_array(a, n, size);
    if (n)
        memcpy(ret, v, n * size);
    lk_free(v);
    return ret;
}

static int children(const struct question *q)
{
    struct lk_pids c = { 0 };
    const int why = why_not(lk_procfs_children((pid_t)q->key->pid, add_child, &c));
    c.v = kept(q->arena, c.v, c.n, sizeof *c.v);
    *(struct lk_pids *)q->ret = c;
    return why;
}

/* ---- descriptors --------------------------------------------------------------------- */

static ssize_t link_of(int64_t pid, int64_t fd, char *ret, size_t size)
{
    return lk_procfs_link(ret, size, AT_FDCWD, "/proc/%lld/fd/%lld", (long long)pid, (long long)fd);
}

static int fd_name(const struct question *q)
{
    char link[PATH_MAX];
    if (link_of(q->key->pid, q->key->n, link, sizeof link) <= 0)
        return why_not(false);
    *(const char **)q->ret = lk_arena_strdup(q->arena, link);
    return 0;
}

struct ends {
    const struct lk_pipe_names *of;
    LK_VEC(struct lk_pipe_end) v;
    int64_t pid;
    bool unseen;
};

static uint64_t number_of(const struct lk_pipe_names *of, const char *name)
{
    for (size_t i = 0; i < of->n; i++)
        if (strcmp(of->v[i], name) == 0)
            return i + 1;
    return 0;
}

static bool add_end(int64_t fd, void *arg)
{
    struct ends *x = arg;
    char link[PATH_MAX], info[1024];
    uint64_t flags, pipe;
    if (link_of(x->pid, fd, link, sizeof link) <= 0 || !(pipe = number_of(x->of, link)))
        return true;
    struct lk_pipe_end *e = lk_vec_push(&x->v);
    *e = (struct lk_pipe_end){ .pipe = pipe, .pid = x->pid, .reads = true, .writes = true };
    if (lk_procfs_read(info, sizeof info, AT_FDCWD, "/proc/%lld/fdinfo/%lld", (long long)x->pid,
                       (long long)fd) > 0 &&
        lk_procfs_field(info, "flags:", 8, &flags)) {
        e->reads = (flags & O_ACCMODE) != O_WRONLY;
        e->writes = (flags & O_ACCMODE) != O_RDONLY;
    }
    return x->v.n < MAX_ENDS;
}

/* A zombie and a kernel thread have no descriptors; one whose we may not see makes the list
 * incomplete. */
static bool add_process(int64_t pid, void *arg)
{
    struct ends *x = arg;
    struct lk_procfs_stat st;
    x->pid = pid;
    if (!lk_procfs_each_id(add_end, x, AT_FDCWD, "/proc/%lld/fd", (long long)pid) &&
        lk_procfs_stat_read(&st, AT_FDCWD, "/proc/%lld/stat", (long long)pid) && st.state != 'Z' &&
        st.state != 'X')
        x->unseen = true;
    return x->v.n < MAX_ENDS;
}

static int pipe_ends(const struct question *q)
{
    struct ends x = { .of = q->key->given };
    const bool listed = lk_procfs_each_id(add_process, &x, AT_FDCWD, "/proc");
    *(struct lk_pipe_ends *)q->ret =
        (struct lk_pipe_ends){ .v = kept(q->arena, x.v.v, x.v.n, sizeof *x.v.v),
                               .n = x.v.n,
                               .all_seen = listed && !x.unseen && x.v.n < MAX_ENDS };
    return 0;
}

static int lock_owner(const struct question *q)
{
    struct lk_procfs_folder f;
    if (!lk_procfs_enter((pid_t)q->key->pid, &f))
        return why_not(false);
    const bool known = lk_file_lock_owner(f.pid, f.whole, q->key->n, q->key->m, q->ret);
    lk_procfs_leave(&f);
    return why_not(known);
}

static int identity_of(const struct question *q)
{
    struct lk_procfs_folder f;
    if (q->key->pid <= 0 || !lk_procfs_enter((pid_t)q->key->pid, &f))
        return q->key->pid > 0 ? why_not(false) : ESRCH;
    const int why = lk_process_facts_read(&f, q->ret);
    lk_procfs_leave(&f);
    return why;
}

/* ---- all ----------------------------------------------------------------------------- */

static int (*const answers[LK_FACTS])(const struct question *) = {
    [LK_FACT_STAT] = stat_of,          [LK_FACT_STARTED] = started,
    [LK_FACT_PROGRAM] = program,       [LK_FACT_HAS_VARIABLE] = has_variable,
    [LK_FACT_CHILDREN] = children,     [LK_FACT_TIMES_RUN] = times_run,
    [LK_FACT_PID_FD_NAME] = fd_name,   [LK_FACT_PIPE_ENDS] = pipe_ends,
    [LK_FACT_LOCK_OWNER] = lock_owner, [LK_FACT_IDENTITY_OF] = identity_of,
};

static int ask(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
               void *ret)
{
    const struct question q = { key, a, ret };
    (void)impl;
    if (!answers[what])
        return ENOTSUP;
    errno = 0;
    return answers[what](&q);
}

const struct lk_machine *lk_machine_here(void)
{
    static const struct lk_machine here = { .ask = ask };
    return &here;
}
