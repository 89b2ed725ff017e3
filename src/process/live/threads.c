/*
 * The threads of a live process as /proc tells them: some files of about 9 us each for every
 * thread, so nothing is read twice, all files are opened below one descriptor of the task folder,
 * and lines are parsed where they lie.
 */
#include "process/live/threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "process/live/live.h"
#include "util/map.h"
#include "util/vec.h"

enum {
    MAX_THREADS = 65536,
    MAX_PASSES = 16,   /* a process that starts threads faster than they can be listed */
    SCHED_BYTES = 512, /* se.exec_start is the third line */
    MAX_CPUS = 4096,
};

/* What is kept from sample to sample. */
struct lk_live_threads {
    int task_fd;
    int why;               /* errno of the task folder that could not be opened */
    int64_t tick_us;       /* of a clock tick of /proc stat */
    bool no_schedstat;     /* kernel without scheduling counts */
    bool no_sched;         /* kernel without CONFIG_SCHED_DEBUG */
    struct lk_map past_at; /* tid -> index of v */
    struct past {
        struct lk_thread_facts facts;
        int64_t exec_us; /* se.exec_start, -1 unknown */
        int cpu;         /* whose clock that is, -1 unknown */
    } * v;
    size_t n, cap;
    /* in this pass, by processor: now on its scheduler's clock; 0 not asked yet, -1 not to be had
     */
    int64_t now_us[MAX_CPUS];
    cpu_set_t *affinity; /* ours, while it is changed in this pass */
};

void lk_live_threads_destroy(struct lk_live_threads *t)
{
    if (!t)
        return;
    lk_fd_close(t->task_fd);
    lk_map_deinit(&t->past_at);
    lk_free(t->v);
    lk_free(t);
}

/* Built without CONFIG_SCHED_INFO the file is missing, with delay accounting switched off it says
 * "0 0 0". */
static bool counts_schedules(void)
{
    char text[128];

    return lk_procfs_read_at(AT_FDCWD, "/proc/thread-self/schedstat", text, sizeof(text)) > 0 &&
           strncmp(text, "0 0 0", 5) != 0;
}

static struct lk_live_threads *threads_create(int proc_fd)
{
    struct lk_live_threads *t = lk_xcalloc(1, sizeof(*t));
    long ticks = sysconf(_SC_CLK_TCK);

    t->no_sched = access("/proc/thread-self/sched", R_OK) != 0;
    t->no_schedstat = !counts_schedules();
    t->task_fd = lk_fd_hold(openat(proc_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    t->why = errno;
    t->tick_us = 1000000 / (ticks > 0 ? ticks : 100);
    return t;
}

/* --- one file ------------------------------------------------------------------ */

/* Below the task folder: "TID/file". */
static ssize_t task_read(const struct lk_live_threads *t, int64_t tid, const char *file, char *buf,
                         size_t size)
{
    char name[48], digits[24];
    size_t n = 0, at = sizeof(digits);

    do
        digits[--at] = (char)('0' + tid % 10);
    while ((tid /= 10) > 0);
    memcpy(name, digits + at, sizeof(digits) - at);
    n = sizeof(digits) - at;
    name[n++] = '/';
    memcpy(name + n, file, strlen(file) + 1);
    return lk_procfs_read_at(t->task_fd, name, buf, size);
}

/* "nr 0xa0 ... 0xa5 0xsp 0xpc", "-1 0xsp 0xpc" (asleep outside of a call) or "running";
 * proc_pid_syscall(5). */
static void parse_syscall(const char *text, struct lk_thread_facts *f)
{
    const char *p = text;
    uint64_t v[8];
    char *end;
    int n = 0;

    if (strncmp(text, "running", 7) == 0) {
        f->running = true;
        return;
    }
    f->nr = strtoll(p, &end, 10);
    if (end == p)
        return;
    for (p = end; n < 8; n++, p = end) {
        v[n] = strtoull(p, &end, 16);
        if (end == p)
            break;
    }
    if (n != 8 && !(n == 2 && f->nr == -1))
        return;
    if (n == 8)
        memcpy(f->args, v, sizeof(f->args));
    f->sp = v[n - 2];
    f->pc = v[n - 1];
    f->syscall_known = true;
}

static int64_t status_count(const char *text, const char *key)
{
    const char *p = strstr(text, key);

    return p ? strtoll(p + strlen(key), NULL, 10) : 0;
}

/* Nothing else means that a thread is gone: descriptors may be used up, or memory, or a right is
 * missing. */
static bool means_gone(int why)
{
    return why == ESRCH || why == ENOENT;
}

/* How often it was given a CPU. False with errno: that could not be read. */
static bool read_switches(struct lk_live_threads *t, struct lk_thread_facts *f)
{
    char text[16384], *p = text;

    if (!t->no_schedstat) {
        /* Run time and wait time in ns, times scheduled; Documentation/scheduler/sched-stats.rst.
         */
        if (task_read(t, f->tid, "schedstat", text, 128) > 0) {
            f->run_ns = strtoull(p, &p, 10);
            strtoull(p, &p, 10);
            f->switches = strtoull(p, &p, 10);
            return true;
        }
        if (errno == ENOENT ? task_read(t, f->tid, "comm", text, 64) < 0 : errno != EACCES)
            return false;
        t->no_schedstat = true;
    }
    if (task_read(t, f->tid, "status", text, sizeof(text)) <= 0)
        return false;
    f->switches = (uint64_t)status_count(text, "\nvoluntary_ctxt_switches:") +
                  (uint64_t)status_count(text, "\nnonvoluntary_ctxt_switches:");
    return true;
}

/*
 * Line "se.exec_start   :   1265549.855483": milliseconds on the scheduler's clock. -1 when there
 * is none. It is 0 as long as the thread has not run on the processor it was moved to
 * (kernel/sched/fair.c: migrate_task_rq_fair), or not at all.
 */
static int64_t parse_exec_start(const char *text)
{
    const char *p = strstr(text, "se.exec_start");
    char *end;
    int64_t ms, us = 0;

    if (!p || !(p = strchr(p, ':')))
        return -1;
    ms = strtoll(p + 1, &end, 10);
    if (ms < 0 || ms > INT64_MAX / 1000 - 1)
        return -1;
    if (*end == '.')
        for (int i = 0; i < 3 && end[1 + i] >= '0' && end[1 + i] <= '9'; i++)
            us = us * 10 + (end[1 + i] - '0');
    return ms || us ? ms * 1000 + us : -1;
}

static void restore_affinity(void *set, size_t size)
{
    (void)sched_setaffinity(0, size, set);
    CPU_FREE((cpu_set_t *)set);
}

/*
 * se.exec_start is on the clock of the processor that a thread ran on last (rq_clock_task), and
 * those clocks leave out interrupts and stolen time, each its own: on a virtual machine they drift
 * apart by seconds. So "now" is asked for on that same processor: our own record there, brought up
 * to date by sched_yield (kernel/sched/fair.c: yield_task_fair calls update_curr). Where we may not
 * run, it is not known.
 */
static int64_t ask_now_us(struct lk_live_threads *t, int cpu)
{
    cpu_set_t *only;
    size_t size = CPU_ALLOC_SIZE(MAX_CPUS);
    char text[SCHED_BYTES];
    int64_t ret = -1;

    if (!t->affinity) { /* first, since holding may run out of memory */
        t->affinity = CPU_ALLOC(MAX_CPUS);
        if (t->affinity && sched_getaffinity(0, size, t->affinity) != 0) {
            CPU_FREE(t->affinity);
            t->affinity = NULL;
        }
        if (t->affinity)
            lk_hold(t->affinity, size, restore_affinity);
    }
    only = CPU_ALLOC(MAX_CPUS);
    if (!only)
        return -1;
    CPU_ZERO_S(size, only);
    CPU_SET_S((size_t)cpu, size, only);
    if (t->affinity && sched_setaffinity(0, size, only) == 0) {
        sched_yield();
        if (lk_procfs_read_at(AT_FDCWD, "/proc/thread-self/sched", text, sizeof(text)) > 0)
            ret = parse_exec_start(text);
    }
    CPU_FREE(only);
    return ret;
}

static int64_t scheduler_now_us(struct lk_live_threads *t, int cpu)
{
    if (cpu < 0 || cpu >= MAX_CPUS || t->no_sched)
        return -1;
    if (t->now_us[cpu] == 0)
        t->now_us[cpu] = ask_now_us(t, cpu);
    return t->now_us[cpu];
}

static void forget_clocks(struct lk_live_threads *t)
{
    memset(t->now_us, 0, sizeof(t->now_us));
    if (!t->affinity)
        return;
    lk_let_go(t->affinity, restore_affinity);
    restore_affinity(t->affinity, CPU_ALLOC_SIZE(MAX_CPUS));
    t->affinity = NULL;
}

/* --- one thread ------------------------------------------------------------------ */

static struct past *find_past(struct lk_live_threads *t, int64_t tid)
{
    uint64_t i;

    return lk_map_get(&t->past_at, (uint64_t)tid, &i) ? &t->v[i] : NULL;
}

static struct past *add_past(struct lk_live_threads *t, int64_t tid)
{
    if (t->n >= 2 * MAX_THREADS) { /* a target that starts and ends threads all the time */
        lk_map_clear(&t->past_at);
        t->n = 0;
    }
    lk_map_put(&t->past_at, (uint64_t)tid, t->n);
    return lk_vec_push(t);
}

/*
 * A thread that was asleep and has not been given a CPU since is as it was: state, name, times and
 * the scheduler's record need not be read again. Run time counts nanoseconds, so another thread
 * with the same id does not match.
 */
static bool slept_since(const struct past *past, const struct lk_thread_facts *f)
{
    const struct lk_thread_facts *p = &past->facts;

    return p->state == 'S' && p->syscall_known && f->syscall_known && p->switches == f->switches &&
           p->run_ns == f->run_ns && p->nr == f->nr && p->sp == f->sp && p->pc == f->pc;
}

static bool read_stat(struct lk_live_threads *t, struct lk_thread_facts *f, int *cpu)
{
    struct lk_procfs_stat stat;
    char text[1024];

    errno = ESRCH;
    if (task_read(t, f->tid, "stat", text, sizeof(text)) <= 0 || !lk_procfs_stat_parse(text, &stat))
        return false;
    memcpy(f->comm, stat.comm, sizeof(f->comm));
    f->state = stat.state;
    f->cpu_us = stat.cpu_ticks * (uint64_t)t->tick_us;
    f->start_time = stat.start_ticks;
    *cpu = stat.processor;
    return true;
}

static void copy_stat(struct lk_thread_facts *f, const struct lk_thread_facts *from)
{
    memcpy(f->comm, from->comm, sizeof(f->comm));
    f->state = from->state;
    f->cpu_us = from->cpu_us;
    f->start_time = from->start_time;
}

/*
 * The switch count is read first: when it is the same later, the thread slept all the time in the
 * call that was read in between. Where that call may not be read, the state alone tells who runs:
 * both files ask for TASK_RUNNING (fs/proc/array.c get_task_state, lib/syscall.c). False with
 * errno: one of its files could not be read.
 */
static bool read_thread(struct lk_live_threads *t, struct lk_thread_facts *f)
{
    struct past *past = find_past(t, f->tid);
    char text[SCHED_BYTES];
    int64_t exec_us = -1, now_us;
    int cpu = -1;

    f->nr = -1;
    f->off_cpu_ms = LK_UNKNOWN;
    if (!read_switches(t, f))
        return false;
    if (task_read(t, f->tid, "syscall", text, sizeof(text)) > 0)
        parse_syscall(text, f);
    else
        f->unread = errno;
    if (past && slept_since(past, f)) {
        copy_stat(f, &past->facts);
        exec_us = past->exec_us;
        cpu = past->cpu;
    } else {
        if (!read_stat(t, f, &cpu))
            return false;
        if (!t->no_sched && task_read(t, f->tid, "sched", text, sizeof(text)) > 0)
            exec_us = parse_exec_start(text);
        f->running |= f->unread && f->state == 'R';
        past = past ? past : add_past(t, f->tid);
        past->facts = *f;
        past->exec_us = exec_us;
        past->cpu = cpu;
    }
    now_us = exec_us >= 0 ? scheduler_now_us(t, cpu) : -1;
    if (now_us >= 0)
        f->off_cpu_ms = LK_MAX(now_us - exec_us, 0) / 1000;
    return true;
}

/* --- all threads -------------------------------------------------------------------- */

/* Calls for the tids of the task folder that are not in seen yet; the number added to list. */
static size_t list_new(struct lk_live_threads *t, struct lk_map *seen, struct lk_thread_list *list)
{
    _Alignas(struct dirent64) char buf[32768];
    size_t added = 0;
    long n;

    if (lseek(t->task_fd, 0, SEEK_SET) != 0)
        return 0;
    while ((n = syscall(SYS_getdents64, t->task_fd, buf, sizeof(buf))) > 0) {
        for (long at = 0; at < n;) {
            const struct dirent64 *e = (const struct dirent64 *)(buf + at);
            int64_t tid = strtoll(e->d_name, NULL, 10);

            at += e->d_reclen;
            if (tid > 0 && list->n < MAX_THREADS && lk_map_add(seen, (uint64_t)tid, 0)) {
                lk_vec_push(list)->tid = tid;
                added++;
            }
        }
    }
    return added;
}

static bool list_all(struct lk_live *l, struct lk_live_threads *t, struct lk_thread_list *list,
                     struct lk_error *err)
{
    struct lk_map seen = { 0 };
    size_t kept = 0, at = 0;

    list->n = 0;
    for (int pass = 0; pass < MAX_PASSES && list_new(t, &seen, list) > 0; pass++) {
        size_t n = list->n;

        for (; at < n; at++) {
            struct lk_thread_facts *f = &list->v[at];

            if (!read_thread(t, f)) {
                if (means_gone(errno))
                    continue;
                f->unread = errno;
                f->state = '?';
            }
            list->v[kept++] = *f;
        }
        list->n = at = kept;
    }
    lk_map_deinit(&seen);
    forget_clocks(t);
    return list->n > 0 || lk_error_set(err, LK_ERR_NO_PROCESS, "process %d is gone", l->pid);
}

static bool no_task_folder(const struct lk_live *l, struct lk_error *err)
{
    const int why = l->gone ? ESRCH : l->threads->why;

    return means_gone(why)
               ? lk_error_set(err, LK_ERR_NO_PROCESS, "process %d is gone", l->pid)
               : lk_error_os(err, why, "the threads of process %d could not be listed", l->pid);
}

bool lk_live_list_threads(void *impl, struct lk_thread_list *list, bool full, struct lk_error *err)
{
    struct lk_live *l = impl;

    if (!l->threads)
        l->threads = threads_create(l->proc_fd);
    if (l->gone || l->threads->task_fd < 0)
        return no_task_folder(l, err);
    if (full)
        return list_all(l, l->threads, list, err);
    for (size_t i = 0; i < list->n; i++)
        if (!read_switches(l->threads, &list->v[i]))
            list->v[i].state = means_gone(errno) ? 'X' : '?';
    return true;
}
