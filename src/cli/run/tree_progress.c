/*
 * Output (wchar of proc_pid_io(5)) and processor time (proc_pid_stat(5), fields 14 to 17) of a
 * tree, added up over all its members at each look and kept as marks over the window. What a dead
 * member had counted goes to its parent when it is waited for (kernel/exit.c wait_task_zombie).
 */
#include "cli/run/tree_progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/run/kill_tree.h"
#include "process/linux/process_tree.h"
#include "process/linux/procfs.h"
#include "util/arena.h"

enum {
    MARKS = 64,        /* how finely the window is remembered */
    SCAN_SHARE = 1000, /* finding the members costs at most one part in so many of our time */
    SCAN_MS = 2000,    /* and need not be done more often */
    QUIET_WINDOWS = 5,
    LOST_LOOKS = 3,
};

/* a thread that never rests does not get all of a shared core */
static const double idle_cores = 0.02, busy_cores = 0.95;

/*
 * Counters that only grow while nobody is lost sight of. The kernel adds a dead process's counts to
 * its parent's when it is waited for (io: wait_task_zombie in kernel/exit.c; times: cutime and
 * cstime), so a sum over the tree keeps them. Between the death and the wait, or when the parent
 * ignores its children, the sum falls for a while or for good: only what exceeds the highest sum
 * ever seen is new, and a sum that stays lower becomes the measure.
 */
struct counter {
    uint64_t peak;
    unsigned lower; /* looks in a row that found less */
};

struct mark {
    uint64_t at, used_ms;
};

struct lk_tree_progress {
    pid_t root;
    unsigned window_ms;
    uint64_t last_output;
    pid_t pids[LK_TREE_MAX];
    size_t n;
    uint64_t scan_at_us; /* by the real clock */
    struct counter output, ticks;
    uint64_t used_ms; /* processor time seen since the first look */
    bool looked;
    struct mark marks[MARKS]; /* the window, oldest first */
    size_t n_marks;
    long ticks_per_second;
};

struct lk_tree_progress *lk_tree_progress_create(pid_t root, unsigned window_ms, uint64_t now)
{
    struct lk_tree_progress *p = lk_xcalloc(1, sizeof *p);
    p->root = root;
    p->window_ms = window_ms;
    p->last_output = now;
    p->ticks_per_second = sysconf(_SC_CLK_TCK);
    return p;
}

void lk_tree_progress_destroy(struct lk_tree_progress *p)
{
    lk_free(p);
}

/* Parents come before children: one that dies in between is missed for a moment, never counted
 * twice. */
static void find_members(struct lk_tree_progress *p)
{
    const uint64_t began = lk_now_us();
    if (p->n && began < p->scan_at_us)
        return;
    p->n = lk_tree_list(p->root, p->pids, LK_TREE_MAX);
    const uint64_t now = lk_now_us(), least = LK_MIN((uint64_t)SCAN_MS, p->window_ms / 20u) * 1000;
    p->scan_at_us = now + LK_MAX(least, (now - began) * SCAN_SHARE);
}

static uint64_t output_of(pid_t pid)
{
    char text[512];
    uint64_t value;
    const bool ok = lk_procfs_read_of(pid, "io", text, sizeof text) > 0 &&
                    lk_procfs_field(text, "wchar:", 10, &value);
    return ok ? value : 0;
}

static uint64_t ticks_of(pid_t pid)
{
    struct lk_procfs_stat st;
    return lk_procfs_stat_of(pid, &st) ? st.cpu_ticks + st.children_ticks : 0;
}

/* True when the sum shows something new. */
static bool count(struct counter *c, uint64_t sum)
{
    if (sum > c->peak) {
        c->peak = sum;
        c->lower = 0;
        return true;
    }
    c->lower = sum < c->peak ? c->lower + 1 : 0;
    if (c->lower >= LOST_LOOKS) {
        c->peak = sum;
        c->lower = 0;
    }
    return false;
}

/* The oldest mark kept is the last one that is older than the window. */
static void mark(struct lk_tree_progress *p, uint64_t now)
{
    const uint64_t step = p->window_ms / (MARKS - 4);
    if (p->n_marks && now < p->marks[p->n_marks - 1].at + step)
        return;
    size_t old = 0;
    while (old + 1 < p->n_marks && p->marks[old + 1].at + p->window_ms <= now)
        old++;
    if (!old && p->n_marks == MARKS)
        old = 1;
    memmove(p->marks, p->marks + old, (p->n_marks - old) * sizeof *p->marks);
    p->n_marks -= old;
    p->marks[p->n_marks++] = (struct mark){ now, p->used_ms };
}

void lk_tree_progress_look(struct lk_tree_progress *p, uint64_t now)
{
    uint64_t output = 0, ticks = 0;
    find_members(p);
    for (size_t i = 0; i < p->n; i++) {
        output += output_of(p->pids[i]);
        ticks += ticks_of(p->pids[i]);
    }
    const uint64_t before = p->ticks.peak;
    if (count(&p->output, output) && p->looked)
        p->last_output = now;
    if (count(&p->ticks, ticks) && p->looked)
        p->used_ms += (p->ticks.peak - before) * 1000 / (uint64_t)p->ticks_per_second;
    p->looked = true;
    mark(p, now);
}

double lk_tree_progress_cores(const struct lk_tree_progress *p, uint64_t now)
{
    if (!p->n_marks || now <= p->marks[0].at)
        return 0;
    return (double)(p->used_ms - p->marks[0].used_ms) / (double)(now - p->marks[0].at);
}

uint64_t lk_tree_progress_quiet_ms(const struct lk_tree_progress *p, uint64_t now)
{
    return now - LK_MIN(now, p->last_output);
}

enum lk_suspicion lk_tree_progress_suspect(const struct lk_tree_progress *p, uint64_t now)
{
    const uint64_t quiet = lk_tree_progress_quiet_ms(p, now);
    if (quiet < p->window_ms || !p->n_marks || now - p->marks[0].at < p->window_ms)
        return LK_UNSUSPICIOUS;
    const double cores = lk_tree_progress_cores(p, now);
    if (cores < idle_cores)
        return LK_SUSPECT_IDLE;
    if (cores >= busy_cores)
        return LK_SUSPECT_BUSY;
    return quiet >= (uint64_t)QUIET_WINDOWS * p->window_ms ? LK_SUSPECT_QUIET : LK_UNSUSPICIOUS;
}
