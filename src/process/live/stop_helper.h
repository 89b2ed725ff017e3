/*
 * The process that stops threads: what its parent (stop.c) gives it, and the memory in which it
 * leaves what came of it.
 */
#ifndef LK_PROCESS_LIVE_STOP_HELPER_H
#define LK_PROCESS_LIVE_STOP_HELPER_H

#include "process/live/stop.h"

enum lk_stop_slot_state {
    SLOT_NONE = 0,
    SLOT_SEIZED,
    SLOT_INTERRUPTED,
    SLOT_STOPPED,
    SLOT_GIVEN_UP
};

/* One thread, in memory shared with the helper. */
struct lk_stop_slot {
    int64_t tid;
    enum lk_stop_slot_state state;
    int signal;    /* the thread stopped to have this signal delivered */
    bool wanted;   /* to be stopped, by the last first look */
    int64_t slept; /* times it gave up the CPU by itself, at the first look; -1 unknown */
    int64_t ran;   /* time it has had on a CPU, ns, at the first look; -1 unknown */
    struct lk_regs regs;
};

struct lk_stop_shared {
    uint64_t held_us, released_us; /* first INTERRUPT, last DETACH (CLOCK_MONOTONIC); 0: not yet */
    /* of a thread that could not be seized; ESRCH only when there is no other */
    int seize_errno;
    bool no_memory; /* the helper ended for want of it: what it has read is not whole */
    size_t n;
    struct lk_stop_slot v[];
};

/* What the helper works on. */
struct lk_stop_helper {
    struct lk_process *t;
    struct lk_stop_shared *s;
    enum lk_stop_whom whom;
    unsigned max_pause_ms;
    size_t stack_bytes;
    lk_collect_fn prepare, collect;
    void *arg;
    pid_t parent;
    int task_fd;
};

/** Stops, copies, collects, detaches and ends: to be called in the forked child. */
_Noreturn void lk_stop_helper_main(const struct lk_stop_helper *h);

#endif
