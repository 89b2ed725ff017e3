/*
 * Thread ids as the target sees them. In another pid namespace gettid() there differs from what
 * /proc here says; memory of the target (PyThreadState.native_thread_id, a mutex's owner) holds the
 * inner one. NSpid in /proc/PID/task/TID/status lists a thread's ids from the namespace of this
 * /proc to its own, proc_pid_status(5).
 */
#include "process/live/pid_namespace.h"

#include <stdlib.h>
#include <string.h>

#include "process/linux/procfs.h"
#include "util/map.h"

struct lk_live_pid_ns {
    bool nested;  /* the target lives in an inner pid namespace */
    bool scanned; /* in this sample */
    struct lk_map outer_of;
};

bool lk_pid_ns_parse(const char *status, int64_t *inner, int *levels)
{
    static const char key[] = "\nNSpid:";
    const char *p = strstr(status, key);
    *levels = 0;
    if (!p)
        return false;
    /* more levels than the kernel nests (MAX_PID_NS_LEVEL 32) */
    for (p += sizeof key - 1; *levels < 64;) {
        char *end;
        while (*p == '\t' || *p == ' ')
            p++;
        const long long id = *p >= '0' && *p <= '9' ? strtoll(p, &end, 10) : 0;
        if (id <= 0)
            break;
        *inner = id;
        ++*levels;
        p = end;
    }
    return *levels > 0;
}

static bool read_inner(struct lk_live *l, int64_t tid, int64_t *inner, int *levels)
{
    char name[48], text[4096];
    snprintf(name, sizeof name, "task/%lld/status", (long long)tid);
    return lk_procfs_read_at(l->proc_fd, name, text, sizeof text) > 0 &&
           lk_pid_ns_parse(text, inner, levels);
}

struct scan {
    struct lk_live *live;
    struct lk_map *map;
};

static bool add_tid(int64_t tid, void *arg)
{
    enum { MOST = 200000 };
    struct scan *s = arg;
    int64_t inner;
    int levels;
    if (read_inner(s->live, tid, &inner, &levels))
        lk_map_put(s->map, (uint64_t)inner, (uint64_t)tid);
    return s->map->n < MOST;
}

static void scan(struct lk_live *l)
{
    struct scan s = { l, &l->tids->outer_of };
    l->tids->scanned = true;
    lk_procfs_each_id(add_tid, &s, l->proc_fd, "task");
}

void lk_live_pid_ns_begin_sample(struct lk_live *l)
{
    char text[4096];
    int64_t inner;
    int levels;
    if (!l->tids) {
        l->tids = lk_xcalloc(1, sizeof *l->tids);
        l->tids->nested = lk_procfs_read_at(l->proc_fd, "status", text, sizeof text) > 0 &&
                          lk_pid_ns_parse(text, &inner, &levels) && levels > 1;
    }
    if (!l->tids->nested)
        return;
    /* Anew each time: an id may have been given to another thread. Now and not when first asked
     * for, which may be under a stop. */
    lk_map_clear(&l->tids->outer_of);
    scan(l);
    l->tids->scanned = false;
}

int64_t lk_live_tid_outside(void *impl, int64_t inner)
{
    struct lk_live *l = impl;
    uint64_t outer;
    if (!l->tids)
        lk_live_pid_ns_begin_sample(l);
    if (!l->tids->nested)
        return inner;
    /* A thread that began after the scan: looked for once in a sample. */
    if (!lk_map_get(&l->tids->outer_of, (uint64_t)inner, &outer) && !l->tids->scanned)
        scan(l);
    return lk_map_get(&l->tids->outer_of, (uint64_t)inner, &outer) ? (int64_t)outer : -1;
}

void lk_live_pid_ns_destroy(struct lk_live_pid_ns *t)
{
    if (!t)
        return;
    lk_map_deinit(&t->outer_of);
    lk_free(t);
}
