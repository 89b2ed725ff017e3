/*
 * Stopping running threads of a process, for as short as can be, where it is one that runs. What
 * was read of it then is of one moment.
 */
#ifndef LK_PROCESS_STOP_H
#define LK_PROCESS_STOP_H

#include "process/process.h"

/**
 * Runs in the helper while the threads are stopped. It may only read the target; all it leaves
 * behind are pages in the shared page cache (everything else it writes vanishes with the helper).
 * So a reader rehearses its walk here, and the caller repeats it afterwards from the pages the
 * rehearsal brought in.
 */
typedef void (*lk_collect_fn)(struct lk_process *t, void *arg);

struct lk_stop_result {
    struct {
        int64_t *v;
        size_t n, cap;
    } stopped; /* tids that really stopped */
    struct {
        struct lk_regs *v;
        size_t n, cap;
    } regs;           /* parallel to stopped */
    int64_t pause_us; /* first INTERRUPT to last DETACH */
    bool deadline;    /* max_pause_ms ran out before collect ended */
    /* collect read more than could be kept: the rest is not what it was under the stop */
    bool overflow;
};

/**
 * Whom to stop of those asked for. A thread that runs at one look may sleep at the next, and an
 * interrupted epoll_wait, semop, sigtimedwait or recv with a timeout returns EINTR:
 * LK_STOP_COMPUTING stops only who is still running right before its interruption, has had the CPU
 * since a first look some milliseconds earlier, and has not slept since. Any thread may be asked
 * for with it, also sleeping ones: who computes is found out at the last moment.
 */
enum lk_stop_whom { LK_STOP_COMPUTING = 0, LK_STOP_ANY };

struct lk_stop_request {
    const int64_t *tids;
    size_t n;
    enum lk_stop_whom whom;
    unsigned max_pause_ms;
    size_t stack_bytes; /* copied from each stack pointer */
    lk_collect_fn prepare, collect;
    void *arg;
};

/**
 * Stops threads, copies of their stacks, runs collect, detaches. Before that, with nobody stopped,
 * it runs prepare (may be NULL, as collect): the pages that prepare looked at are read
 * again in few calls under the stop, before collect. The pages read are pinned in the cache until
 * the next lk_process_begin_sample or the next stop; pages read before the stop are forgotten.
 * Threads that do not stop within a quarter of the time (D state, vfork) are left alone.
 * Returns false with err when no thread could be seized (already traced: err names the tracer); res
 * is then empty.
 */
bool lk_stop_collect(struct lk_process *t, const struct lk_stop_request *how,
                     struct lk_stop_result *res, struct lk_error *err);
void lk_stop_result_deinit(struct lk_stop_result *res);

#endif
