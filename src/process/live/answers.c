/*
 * One function a fact, over what process/linux reads of a process. What takes long to look up
 * (sockets, who holds which descriptor) is kept in one place for as long as a sample lasts.
 */
#include "process/live/answers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process/linux/cgroup.h"
#include "process/linux/child_work.h"
#include "process/linux/kernel_reader.h"
#include "process/linux/listeners.h"
#include "process/linux/process_facts.h"
#include "process/linux/procfs.h"
#include "process/linux/surroundings.h"
#include "util/text.h"

/* One question to a live process. */
struct question {
    struct lk_live *l;
    const struct lk_key *key;
    struct lk_arena *arena;
    void *ret;
};

void lk_live_forget_kernel(struct lk_live *l)
{
    lk_kernel_reader_destroy(l->kernel);
    l->kernel = NULL;
}

static struct lk_kernel_reader *kernel(const struct question *q)
{
    struct lk_live *l = q->l;
    if (!l->kernel)
        l->kernel = lk_kernel_reader_create(l->process, l->proc_fd, q->arena);
    l->kernel->arena = q->arena;
    return l->kernel;
}

/* Why it is not known: what the last call met, where that says so. */
static int why_not(bool known)
{
    return known ? 0 : errno ? errno : ENODATA;
}

/* ---- the process --------------------------------------------------------------------- */

static int identity(const struct question *q)
{
    return lk_process_facts_read(&kernel(q)->folder, q->ret);
}

static int ran_out(const struct question *q)
{
    *(int *)q->ret = lk_procfs_ran_out();
    return 0;
}

static int lives_on(const struct question *q)
{
    *(bool *)q->ret = lk_process_is_living(q->l->proc_fd);
    return 0;
}

static int throttle(const struct question *q)
{
    return why_not(lk_cgroup_throttle(q->l->proc_fd, q->ret));
}

static int halt(const struct question *q)
{
    lk_process_halt_states(q->l->pid, q->l->proc_fd, q->key->given, q->arena, q->ret);
    return 0;
}

static int shares_pids(const struct question *q)
{
    char ours[64], theirs[64];
    const bool known = lk_procfs_link(ours, sizeof ours, AT_FDCWD, "/proc/self/ns/pid") > 0 &&
                       lk_procfs_link(theirs, sizeof theirs, q->l->proc_fd, "ns/pid") > 0;
    *(bool *)q->ret = known && strcmp(ours, theirs) == 0;
    return why_not(known);
}

static int has_file(const struct question *q)
{
    char path[LK_PROCFS_PATH];
    snprintf(path, sizeof path, "cwd/%s", q->key->text);
    const bool is = faccessat(kernel(q)->folder.dir, path, F_OK, 0) == 0;
    *(bool *)q->ret = is;
    return why_not(is || errno == ENOENT || errno == ENOTDIR);
}

static int surroundings(const struct question *q)
{
    lk_surroundings_read(q->l->proc_fd, q->arena, q->ret);
    return 0;
}

/* ---- its threads and descriptors ----------------------------------------------------- */

static int call(const struct question *q)
{
    lk_kernel_read_wait(kernel(q), q->key->given, q->ret);
    return 0;
}

static int fd(const struct question *q)
{
    lk_kernel_read_fd(kernel(q), q->key->n, q->ret);
    return 0;
}

static int fd_name(const struct question *q)
{
    *(const char **)q->ret = lk_kernel_fd_name(kernel(q), q->key->n);
    return why_not(*(const char **)q->ret != NULL);
}

static int unread(const struct question *q)
{
    *(int64_t *)q->ret = lk_kernel_unread(kernel(q), q->key->n);
    return why_not(*(int64_t *)q->ret != LK_UNKNOWN);
}

static int quiet_ms(const struct question *q)
{
    *(int64_t *)q->ret = lk_kernel_quiet_ms(kernel(q), q->key->n);
    return why_not(*(int64_t *)q->ret != LK_UNKNOWN);
}

static int watched(const struct question *q)
{
    struct lk_watched *w = q->ret;
    *w = (struct lk_watched){ 0 }; /* all of it is kept in a capture */
    w->total = lk_kernel_epoll_fds(kernel(q), q->key->n, w->fds, LK_MAX_WATCHED);
    return why_not(w->total != LK_UNKNOWN);
}

static int connections(const struct question *q)
{
    struct lk_connections *c = q->ret;
    c->v = lk_arena_array(q->arena, LK_MAX_CONNECTIONS, sizeof *c->v);
    return why_not(lk_kernel_connections(kernel(q), c->v, LK_MAX_CONNECTIONS, &c->n));
}

/* Asked when time has passed: what was looked up before is of before. */
static int listeners(const struct question *q)
{
    lk_live_forget_kernel(q->l);
    lk_listeners_read(kernel(q), q->ret);
    lk_live_forget_kernel(q->l);
    return 0;
}

static int unit(const struct question *q)
{
    char text[8192], name[128];
    const bool in_one = lk_procfs_read(text, sizeof text, q->l->proc_fd, "cgroup") > 0 &&
                        lk_cgroup_unit(text, name, sizeof name);
    *(const char **)q->ret =
        in_one ? lk_text_clean(q->arena, name, strlen(name), sizeof name) : NULL;
    return 0;
}

static int our_child(const struct question *q)
{
    enum { GENERATIONS = 64 };
    struct lk_procfs_stat st;
    pid_t pid = getpid();
    *(int64_t *)q->ret = 0;
    for (int i = 0; i < GENERATIONS && pid > 1 && lk_procfs_stat_of(pid, &st); i++) {
        if (st.ppid == q->l->pid)
            *(int64_t *)q->ret = pid;
        if (st.ppid == q->l->pid)
            break;
        pid = st.ppid;
    }
    return 0;
}

static int backlog_asks(const struct question *q)
{
    *(int64_t *)q->ret = lk_listeners_backlog_asks(kernel(q), (uint64_t)q->key->n);
    return 0;
}

/* ---- its neighbours ------------------------------------------------------------------ */

static int child_work(const struct question *q)
{
    *(enum lk_child_does *)q->ret = lk_child_work(q->l->process, (pid_t)q->key->pid);
    return 0;
}

static int child_idles(const struct question *q)
{
    *(bool *)q->ret =
        lk_child_idles_at(q->l->process, (pid_t)q->key->pid, q->key->text, (lk_addr)q->key->n);
    return 0;
}

static int child_fills(const struct question *q)
{
    *(const char **)q->ret =
        lk_child_fills_pipe(q->l->process, (pid_t)q->key->pid, q->l->pid, q->arena);
    return 0;
}

static int (*const answers[])(const struct question *) = {
    [LK_FACT_IDENTITY] = identity,
    [LK_FACT_RAN_OUT] = ran_out,
    [LK_FACT_LIVES_ON] = lives_on,
    [LK_FACT_THROTTLE] = throttle,
    [LK_FACT_HALT] = halt,
    [LK_FACT_CALL] = call,
    [LK_FACT_FD] = fd,
    [LK_FACT_FD_NAME] = fd_name,
    [LK_FACT_UNREAD] = unread,
    [LK_FACT_QUIET_MS] = quiet_ms,
    [LK_FACT_WATCHED] = watched,
    [LK_FACT_CONNECTIONS] = connections,
    [LK_FACT_LISTENERS] = listeners,
    [LK_FACT_BACKLOG_ASKS] = backlog_asks,
    [LK_FACT_UNIT] = unit,
    [LK_FACT_OUR_CHILD] = our_child,
    [LK_FACT_SHARES_PIDS] = shares_pids,
    [LK_FACT_HAS_FILE] = has_file,
    [LK_FACT_SURROUNDINGS] = surroundings,
    [LK_FACT_CHILD_WORK] = child_work,
    [LK_FACT_CHILD_IDLES] = child_idles,
    [LK_FACT_CHILD_FILLS] = child_fills,
};

int lk_live_ask(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
                void *ret)
{
    const struct question q = { impl, key, a, ret };
    if (what >= LK_ARRAY_LEN(answers) || !answers[what])
        return ENOTSUP;
    errno = 0;
    return answers[what](&q);
}
