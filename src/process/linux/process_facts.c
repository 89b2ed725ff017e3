/*
 * Facts of one process from proc_pid_stat(5), proc_pid_status(5) and the files beside them; times
 * by btime of /proc/stat. Whether it is stopped, dead or in uninterruptible sleep is told from the
 * states of all its threads, since those of the main thread alone mislead once it has ended.
 * Secrets in the command line are hidden here; of the environment the name of a test alone is kept.
 */
#include "process/linux/process_facts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "process/arch/syscalls.h"
#include "process/linux/cgroup.h"
#include "process/linux/language_runtime.h"
#include "process/linux/procfs.h"
#include "snapshot/builder.h"
#include "util/redact.h"
#include "util/text.h"

#define MAX_TEXT      4096 /* of one path or argument */
#define MAX_CHILDREN  4096u
#define MAX_FDS       65536u
#define MAX_THREADS   100000u
#define PF_FORKNOEXEC 0x40u /* include/linux/sched.h: "Forked but didn't exec" */
#define MAX_ENVIRON   (2u << 20)
#define MAX_TEST      1024

static const char *clean(struct lk_snapshot *s, const char *text)
{
    return lk_text_clean(s->arena, text, strlen(text), MAX_TEXT);
}

/* ---- names and times ----------------------------------------------------------------- */

static const char *iso_time(struct lk_arena *a, int64_t sec, int ms)
{
    time_t t = sec;
    struct tm tm;
    char text[64];
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
        return NULL;
    return lk_arena_printf(a, "%s.%03dZ", text, ms);
}

static const char *now_text(struct lk_arena *a)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return iso_time(a, now.tv_sec, (int)(now.tv_nsec / 1000000));
}

/* Boot time (/proc/stat btime) is the same at each look, unlike "now minus uptime": so two reports
 * agree. */
static const char *start_text(struct lk_arena *a, uint64_t ticks)
{
    size_t len;
    uint64_t boot;
    char *text = lk_procfs_read_all(1u << 20, &len, AT_FDCWD, "/proc/stat");
    bool known = text && lk_procfs_field(text, "btime ", 10, &boot);
    lk_free(text);
    uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    if (!known || per_second == 0)
        return NULL;
    return iso_time(a, (int64_t)(boot + ticks / per_second),
                    (int)(ticks % per_second * 1000 / per_second));
}

/* A file that holds one value and the kernel's newline behind it; a name may hold newlines of its
 * own. */
static const char *value_of(struct lk_snapshot *s, int dir, const char *name)
{
    char text[256];
    ssize_t n = lk_procfs_read(text, sizeof(text), dir, "%s", name);
    if (n < 0)
        return NULL;
    if (n > 0 && text[n - 1] == '\n')
        text[n - 1] = '\0';
    return clean(s, text);
}

static const char *link_text(struct lk_snapshot *s, int dir, const char *name)
{
    char text[MAX_TEXT];
    if (lk_procfs_link(text, sizeof(text), dir, "%s", name) >= 0)
        return clean(s, text);
    if (errno != ENOENT && errno != ESRCH) /* a kernel thread or a zombie has none */
        lk_snapshot_limit_os(s, errno, "a link in /proc", "%s of the process could not be read: %s",
                             name, strerror(errno));
    return NULL;
}

static void read_cmdline(struct lk_snapshot *s, int dir)
{
    struct lk_procfs_args args;
    if (!lk_procfs_args_read(dir, &args)) {
        lk_snapshot_limit_os(s, errno, "the command line", "the command line could not be read: %s",
                             strerror(errno));
        return;
    }
    s->cmdline = lk_arena_array(s->arena, args.argc + 1, sizeof(*s->cmdline));
    s->n_cmdline = args.argc;
    for (size_t i = 0; i < args.argc; i++) {
        const char *shown = lk_redact(s->arena, args.argv[i], i ? args.argv[i - 1] : NULL);
        s->cmdline[i] = lk_text_clean(s->arena, shown, strlen(shown), MAX_TEXT);
    }
    lk_procfs_args_deinit(&args);
}

/* The environment a process began with. It may hold secrets: all but the name of a test is dropped
 * at once. */
static void read_test_name(struct lk_snapshot *s, int dir)
{
    static const char wanted[] = LK_TEST_VARIABLE "=";
    size_t len = 0;
    char *text = lk_procfs_read_all(MAX_ENVIRON, &len, dir, "environ");
    if (!text && errno != ENOENT && errno != ESRCH)
        lk_snapshot_limit_os(s, errno, "the environment",
                             "the environment could not be read, nor whether a test runs: %s",
                             strerror(errno));
    for (size_t i = 0; text && i < len && !s->test_env; i += strlen(text + i) + 1)
        if (lk_starts_with(text + i, wanted))
            s->test_env = lk_redact_name(
                s->arena, lk_text_clean(s->arena, text + i + strlen(wanted),
                                        strlen(text + i + strlen(wanted)), MAX_TEST));
    if (text)
        explicit_bzero(text, len);
    lk_free(text);
}

static const char *host_name(struct lk_snapshot *s)
{
    char name[256];
    if (gethostname(name, sizeof(name)) != 0)
        return NULL;
    name[sizeof(name) - 1] = '\0';
    return clean(s, name);
}

static const char *container(struct lk_snapshot *s, int dir)
{
    char text[8192], name[128], ours[64], theirs[64];
    if (lk_procfs_read(text, sizeof(text), dir, "cgroup") > 0 &&
        lk_cgroup_container(text, name, sizeof(name)))
        return clean(s, name);
    unsigned long long ns;
    if (lk_procfs_link(ours, sizeof(ours), AT_FDCWD, "/proc/self/ns/pid") < 0 ||
        lk_procfs_link(theirs, sizeof(theirs), dir, "ns/pid") < 0 || strcmp(ours, theirs) == 0 ||
        sscanf(theirs, "pid:[%llu]", &ns) != 1)
        return NULL;
    return lk_arena_printf(s->arena, "pid namespace %llu", ns);
}

/* ---- children and descriptors -------------------------------------------------------- */

static bool add_child(int64_t pid, void *arg)
{
    struct lk_snapshot *s = arg;
    struct lk_procfs_stat st;
    struct lk_procfs_folder f;
    if (!lk_procfs_enter((pid_t)pid, &f))
        return true;
    if (lk_procfs_stat_read(&st, f.whole, "stat")) {
        struct lk_child *c = lk_vec_push(&s->children);
        c->pid = pid;
        c->threads = st.threads;
        c->comm = value_of(s, f.whole, "comm");
    }
    lk_procfs_leave(&f);
    return s->children.n < MAX_CHILDREN;
}

struct fd_count {
    int dir;
    int64_t seen, epoll;
};

static bool count_fd(int64_t fd, void *arg)
{
    struct fd_count *c = arg;
    char link[64];
    if (lk_procfs_link(link, sizeof(link), c->dir, "fd/%lld", (long long)fd) > 0)
        c->epoll += strcmp(link, "anon_inode:[eventpoll]") == 0;
    return ++c->seen < MAX_FDS;
}

static int64_t count_epoll_fds(struct lk_snapshot *s, int dir)
{
    struct fd_count c = { .dir = dir };
    if (!lk_procfs_each_id(count_fd, &c, dir, "fd")) {
        lk_snapshot_limit_os(s, errno, "the list of descriptors",
                             "the descriptors of the process could not be listed: %s",
                             strerror(errno));
        return LK_UNKNOWN;
    }
    if (c.seen >= MAX_FDS) {
        lk_snapshot_limit(s, "only the first %u descriptors were looked at", MAX_FDS);
        return LK_UNKNOWN;
    }
    return c.epoll;
}

/* ---- stopped, frozen, dead ----------------------------------------------------------- */

struct states {
    int whole;
    struct lk_thread_list list;
};

static bool add_state(int64_t tid, void *arg)
{
    struct states *t = arg;
    struct lk_procfs_stat st;
    if (lk_procfs_stat_read(&st, t->whole, "task/%lld/stat", (long long)tid)) {
        struct lk_thread_facts *f = lk_vec_push(&t->list);
        f->tid = tid;
        f->state = st.state;
    }
    return t->list.n < MAX_THREADS;
}

static bool is_dead(char state)
{
    return state == 'Z' || state == 'X' || state == 'x';
}

/* The kernel function a thread sleeps in, or where the kernel does not tell, its system call. */
static const char *where_it_sleeps(struct lk_arena *a, int whole, int64_t tid)
{
    char text[256];
    if (lk_procfs_read(text, sizeof(text), whole, "task/%lld/wchan", (long long)tid) > 0 &&
        strcmp(text, "0") != 0)
        return lk_text_clean(a, text, strcspn(text, "\n"), 128);
    if (lk_procfs_read(text, sizeof(text), whole, "task/%lld/syscall", (long long)tid) <= 0)
        return NULL;
    char *end;
    long long nr = strtoll(text, &end, 10);
    struct lk_syscall call;
    return end != text && lk_syscall_find(lk_arch_own(), nr, &call) ? call.name : NULL;
}

void lk_process_halt_states(pid_t pid, int whole, const struct lk_thread_list *threads,
                            struct lk_arena *a, struct lk_process_halt *ret)
{
    size_t living = 0, stopped = 0;
    bool leader_dead = false;
    int64_t first_d = 0;
    ret->d_state = 0;
    ret->d_where = NULL;
    for (size_t i = 0; i < threads->n; i++) {
        const struct lk_thread_facts *f = &threads->v[i];
        bool dead = is_dead(f->state);
        living += !dead;
        leader_dead |= dead && f->tid == pid;
        stopped += f->state == 'T';
        if (f->state == 'D') {
            ret->d_state++;
            first_d = first_d ? first_d : f->tid;
        }
    }
    ret->job_stopped = living > 0 && stopped == living;
    ret->zombie = leader_dead && living == 0;
    ret->main_gone = leader_dead && living > 0;
    if (first_d)
        ret->d_where = where_it_sleeps(a, whole, first_d);
}

bool lk_process_is_living(int whole)
{
    enum { LOOKS = 5, PAUSE_MS = 10 };
    size_t living = 1;
    for (int look = 0; look < LOOKS && living; look++) {
        struct states t = { .whole = whole };
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000 }, NULL);
        lk_procfs_each_id(add_state, &t, whole, "task");
        living = 0;
        for (size_t i = 0; i < t.list.n; i++)
            living += !is_dead(t.list.v[i].state);
        lk_free(t.list.v);
    }
    return living > 0;
}

static bool is_in_d(int whole, int64_t tid)
{
    struct lk_procfs_stat st;
    return lk_procfs_stat_read(&st, whole, "task/%lld/stat", (long long)tid) && st.state == 'D';
}

/* A read from a disk is a moment in D too: only threads that stay there count. */
static void drop_passing_d(struct states *t)
{
    enum { LOOKS = 4, PAUSE_MS = 5 };
    for (int look = 0; look < LOOKS; look++) {
        size_t left = 0;
        for (size_t i = 0; i < t->list.n; i++)
            left += t->list.v[i].state == 'D';
        if (!left)
            return;
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000 }, NULL);
        for (size_t i = 0; i < t->list.n; i++)
            if (t->list.v[i].state == 'D' && !is_in_d(t->whole, t->list.v[i].tid))
                t->list.v[i].state = 'S';
    }
}

/* TracerPid of the main thread, or of the first one that is stopped by a tracer. */
static int64_t tracer_of(const struct lk_procfs_folder *f, const struct lk_thread_list *threads)
{
    char text[4096];
    uint64_t tracer = 0;
    if (lk_procfs_read(text, sizeof(text), f->dir, "status") > 0)
        lk_procfs_field(text, "TracerPid:", 10, &tracer);
    for (size_t i = 0; i < threads->n && !tracer; i++)
        if (threads->v[i].state == 't' &&
            lk_procfs_read(text, sizeof(text), f->whole, "task/%lld/status",
                           (long long)threads->v[i].tid) > 0)
            lk_procfs_field(text, "TracerPid:", 10, &tracer);
    return (int64_t)tracer;
}

static void read_stop(struct lk_snapshot *s, const struct lk_procfs_folder *f)
{
    struct states t = { .whole = f->whole };
    char comm[64];
    lk_procfs_each_id(add_state, &t, f->whole, "task");
    drop_passing_d(&t);
    lk_process_halt_states(f->pid, f->whole, &t.list, s->arena, &s->stop);
    s->stop.tracer_pid = tracer_of(f, &t.list);
    lk_free(t.list.v);
    if (s->stop.tracer_pid &&
        lk_procfs_read_of((pid_t)s->stop.tracer_pid, "comm", comm, sizeof(comm)) > 0) {
        comm[strcspn(comm, "\n")] = '\0';
        s->stop.tracer_comm = clean(s, comm);
    }
    s->stop.frozen = lk_cgroup_frozen(f->dir);
}

/* ---- the whole ----------------------------------------------------------------------- */

static int64_t effective_uid(int dir)
{
    char text[4096];
    long long uid;
    const char *line;
    if (lk_procfs_read(text, sizeof(text), dir, "status") <= 0 ||
        !(line = strstr(text, "\nUid:")) || sscanf(line, "\nUid: %*d %lld", &uid) != 1)
        return LK_UNKNOWN;
    return uid;
}

/* SigCgt of proc_pid_status(5): bit n - 1 for signal n. */
static void read_handlers(struct lk_snapshot *s, int dir)
{
    char text[4096];
    uint64_t caught;
    s->handles_signals = s->own_handlers = s->handles_alarm = LK_TRI_UNKNOWN;
    if (lk_procfs_read(text, sizeof(text), dir, "status") <= 0 ||
        !lk_procfs_field(text, "SigCgt:", 16, &caught))
        return;
    s->handles_alarm = LK_NO;
    for (int i = 1; i <= 64; i++) {
        const uint64_t bit = UINT64_C(1) << (i - 1);
        if ((caught & bit) && lk_signal_is_of_timers(i))
            s->handles_alarm = LK_YES;
        if (lk_signal_is_usual(i))
            caught &= ~bit;
    }
    s->caught_signals = caught;
    s->handles_signals = s->own_handlers = caught ? LK_YES : LK_NO;
}

static const char *boot_id(struct lk_snapshot *s)
{
    char text[64];
    if (lk_procfs_read(text, sizeof(text), AT_FDCWD, "/proc/sys/kernel/random/boot_id") < 0)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return clean(s, text);
}

int lk_process_facts_read(const struct lk_procfs_folder *f, struct lk_snapshot *s)
{
    const int dir = f->dir;
    struct lk_procfs_stat st;
    errno = ESRCH;
    if (dir < 0 || !lk_procfs_stat_read(&st, f->whole, "stat"))
        return errno;
    s->pid = f->pid;
    s->ppid = st.ppid;
    s->forked = (st.flags & PF_FORKNOEXEC) != 0;
    s->uid = effective_uid(dir);
    read_handlers(s, dir);
    s->taken_at = now_text(s->arena);
    s->start_time = start_text(s->arena, st.start_ticks);
    s->comm = value_of(s, dir, "comm");
    if (!s->comm)
        s->comm = clean(s, st.comm);
    s->exe = link_text(s, dir, "exe");
    s->cwd = link_text(s, dir, "cwd");
    read_cmdline(s, dir);
    read_test_name(s, dir);
    s->host = host_name(s);
    s->boot_id = boot_id(s);
    s->container = container(s, dir);
    if (!lk_procfs_children(f->pid, add_child, s) && errno != ENOENT && errno != ESRCH)
        lk_snapshot_limit_os(s, errno, "the list of children",
                             "the children of the process could not be listed: %s",
                             strerror(errno));
    s->runtime = lk_runtime_find(dir);
    s->epoll_fds = count_epoll_fds(s, dir);
    read_stop(s, f);
    return 0;
}

uint64_t lk_process_start_ticks(pid_t pid)
{
    struct lk_procfs_stat st;
    if (!lk_procfs_stat_of(pid, &st))
        return 0;
    /* A zombie has ended, unless it is only the main thread that has: then others are still
     * counted. */
    return st.state == 'Z' && st.threads <= 1 ? 0 : st.start_ticks;
}

uint64_t lk_process_ticks_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t); /* as proc_pid_stat(5) counts starttime */
    const uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
    return (uint64_t)t.tv_sec * hz + (uint64_t)t.tv_nsec * hz / 1000000000u;
}
